// The composition root of the monolith: `npm start`.
import { enableCompileCache } from 'node:module';

// Before anything is loaded: it halves the work of a start (types are stripped and code is compiled once).
enableCompileCache();

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  const { usage } = await import('./usage.ts');
  process.stdout.write(usage);
} else {
  const { run } = await import('./run.ts');
  await run();
}
