// The composition root of the monolith: `npm start`; with --migrate, of what makes its database ready and ends.
import './banyan/compile-cache.mjs';
import { shopApp } from './shop.ts';

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  const { usageOf } = await import('./banyan/config/usage.ts');
  process.stdout.write(usageOf(shopApp));
} else if (process.argv.includes('--migrate')) {
  const { migrate } = await import('./banyan/host/run.ts');
  await migrate(shopApp);
} else {
  const { run } = await import('./banyan/host/run.ts');
  await run(shopApp);
}
