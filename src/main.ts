// The composition root of the monolith: `npm start`.
import './compile-cache.mjs';
import { shopApp } from './shop.ts';

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  const { usageOf } = await import('./usage.ts');
  process.stdout.write(usageOf(shopApp));
} else {
  const { run } = await import('./run.ts');
  await run(shopApp);
}
