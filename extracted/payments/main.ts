// payments in a home of its own: the same code as in the monolith, another process.
import '../../src/banyan/compile-cache.mjs';

const { run } = await import('../../src/banyan/host/run.ts');
const { shopApp } = await import('../../src/shop.ts');
await run(shopApp, { MODULES: 'payments' });
