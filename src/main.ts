// The composition root of the monolith: `npm start`.
import { run } from './run.ts';
import { usage } from './usage.ts';

if (process.argv.includes('--help') || process.argv.includes('-h')) process.stdout.write(usage);
else await run();
