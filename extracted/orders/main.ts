// orders in a home of its own: the same code as in the monolith, another process.
import '../../src/compile-cache.mjs';

const { run } = await import('../../src/run.ts');
const { shopApp } = await import('../../src/shop.ts');
await run(shopApp, { MODULES: 'orders' });
