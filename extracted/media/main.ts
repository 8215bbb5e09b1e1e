// media in a home of its own: the same code as in the monolith, another process.
import '../../src/compile-cache.mjs';

const { run } = await import('../../src/run.ts');
await run({ MODULES: 'media' });
