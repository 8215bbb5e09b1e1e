// The shop as it is, but for the tool that compares: one that takes a second.
import { join } from 'node:path';
import { run } from '../../src/banyan/host/run.ts';
import { shopApp } from '../../src/shop.ts';

const tool = join(import.meta.dirname, 'quick-tool.ts');
await run({
  ...shopApp,
  comparison: {
    command: [
      process.execPath,
      '--import',
      new URL('../../scripts/with-npm.mjs', import.meta.url).href,
      tool,
    ],
    works: ['mixed', 'long', 'broken'],
  },
});
