// notifications in a home of its own: the same code as in the monolith, another process.
import { run } from '../../src/run.ts';

await run({ MODULES: 'notifications' });
