// The composition root of the monolith: `npm start`.
import './compile-cache.mjs';

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  const { usage } = await import('./usage.ts');
  process.stdout.write(usage);
} else {
  const { run } = await import('./run.ts');
  await run();
}
