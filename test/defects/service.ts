// A module in a home of its own, as extracted/<module>/main.ts, with a defect that can be switched. Which module it is
// says the id that its monolith gave it.
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const isModule = /\/src\/modules\/\w+\/module\.ts$/.test(found.url);
    if (!isModule || context.parentURL?.startsWith(new URL('./module.ts', import.meta.url).href))
      return found;
    return {
      ...found,
      url: new URL(`./module.ts?of=${encodeURIComponent(found.url)}`, import.meta.url).href,
    };
  },
});

const { run } = await import('../../src/banyan/host/run.ts');
const { shopApp } = await import('../../src/shop.ts');
await run(shopApp, { MODULES: process.env.INSTANCE_ID!.replace(/-\d+$/, '') });
