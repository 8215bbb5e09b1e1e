// Bad input, the same table in both placements: the right 4xx problem, the same to the letter wherever the
// module is, and not a row of anybody's more or less.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Case,
  countRows,
  essence,
  expectProblem,
  makeWorld,
  send,
  settled,
  type World,
} from './bad-input.ts';
import { bodies } from './bad-input-bodies.ts';
import { events } from './bad-input-events.ts';
import { paths } from './bad-input-paths.ts';
import { type Forged, forge, tokens } from './bad-input-tokens.ts';
import { uploads } from './bad-input-uploads.ts';
import { clientOf } from './shop.ts';
import { startShop } from './start-shop.ts';

const modules = ['users', 'catalog', 'media', 'orders', 'payments', 'notifications'];

describe('bad input', () => {
  let world: World;
  let forged: Forged;
  let rows: Record<string, number>;
  const inProcess = new Map<string, object>();
  const table: readonly Case[] = [...bodies, ...paths, ...tokens(() => forged), ...uploads, ...events];

  beforeAll(async () => {
    world = await makeWorld(clientOf(await startShop()));
    forged = await forge(world);
    rows = await settled(world.shop, world);
  });
  afterAll(() => world?.shop.started.stop());

  const ask = async ({ send: make, status, paths, code, check }: Case): Promise<object> => {
    const sent = make(world);
    const got = await send(world.shop.url, sent);
    if (sent.path?.startsWith('/api/') && got.status !== 431)
      expect(got.headers['x-served-by']).toMatch(/^(monolith|[a-z]+-1)$/);
    if (status >= 400) expectProblem(got, status, paths);
    else expect(got.status, got.text).toBe(status);
    if (code !== undefined) expect(got.body.code).toBe(code);
    check?.(got, world);
    return essence(got);
  };
  const alive = async () => {
    const { shop } = world;
    expect((await shop.call('GET', '/health/ready')).status).toBe(200);
    expect(await countRows(shop.started.databaseUrl)).toEqual(rows);
    expect(shop.started.output()).not.toMatch(/"level":"(error|fatal)"/);
  };

  it('has a name of its own for every line of the table', () => {
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
  });

  describe('with the modules in the process', () => {
    it.each(table)('$name: $status', async (one) => {
      inProcess.set(one.name, await ask(one));
    });
    it('left no row and no error behind', () => alive());
  });

  describe('with every module extracted', () => {
    beforeAll(() => Promise.all(modules.map((module) => world.shop.started.extract(module))));

    it.each(table)('$name: $status', async (one) => {
      expect(await ask(one)).toEqual(inProcess.get(one.name));
    });
    it('left no row and no error behind', () => alive());
  });
});
