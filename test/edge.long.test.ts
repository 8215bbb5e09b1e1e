// A sample of the edges, each time another one: request lines by a seed, and every trick of headers and framing, asked
// over raw sockets of one shop with its modules in the process and then elsewhere. `npm run test:edge` asks far more.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { moduleNames } from '../src/banyan/config/environment.ts';
import { shopApp } from '../src/shop.ts';
import { paths } from './edge/paths.ts';
import { headersAndFraming } from './edge/tricks.ts';
import { type Aim, aims } from './edge/variant.ts';
import { differences, verdicts } from './edge/verdict.ts';
import { type StartedShop, startShop } from './start-shop.ts';

const seed = 1 + Math.floor(Math.random() * 1_000_000);
let shop: StartedShop;
let all: readonly Aim[];

beforeAll(async () => {
  shop = await startShop();
  all = await aims();
});
afterAll(() => shop?.stop());

it(`is the same verdict near and far for 500 request lines (seed ${seed}) and every trick`, async () => {
  const variants = [...paths(all, seed, 500, shop.adminToken), ...headersAndFraming(all)];
  const near = await verdicts(shop.url, variants);
  expect(new Set(near).size).toBeGreaterThan(50);
  for (const module of moduleNames(shopApp)) await shop.extract(module);
  const far = await verdicts(shop.url, variants);
  expect(differences(variants, near, far), `seed ${seed}`).toEqual([]);
  expect(shop.output()).not.toMatch(/"level":"(error|fatal)"/);
});
