// The composition root of the monolith: `npm start`.
import './banyan/compile-cache.mjs';
import { shopApp } from './shop.ts';

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  const { usageOf } = await import('./banyan/config/usage.ts');
  process.stdout.write(usageOf(shopApp));
} else {
  const { run } = await import('./banyan/host/run.ts');
  await run(shopApp);
}
