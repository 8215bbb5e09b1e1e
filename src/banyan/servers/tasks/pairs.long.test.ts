// The look at a pair that stands, on a real control store: it puts right who lets in whom, and never what a move has done since.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../placement/fixture.ts';
import { controlSchema } from '../../placement/schema.ts';
import { type ControlStore, createControlStore } from '../../placement/store.ts';
import { serverTables } from './control-tables.ts';
import type { Reach, ServerAt } from './mechanics.ts';
import { createPairRows } from './pair-rows.ts';
import { createPairLooks } from './pairs.ts';
import { createPlaces } from './places.ts';

const log = pino({ level: 'silent' });

let server: TestServer;
let store: ControlStore;

beforeAll(async () => {
  server = await startTestServer();
  const { ddl, ...schema } = controlSchema();
  const { urlOf } = await server.database({ ...schema, ddl: `${ddl}\n${serverTables()}` });
  store = createControlStore({ url: urlOf('banyan_control'), log });
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
});

const at = (name: string): ServerAt => ({ name, adminUrl: `postgres://admin@${name}/db` });
const reach: Reach = {
  refusal: () => undefined,
  serverAt: async (_module, name) => at(name),
  moving: (module) => ({ module, schema: module, runtime: module, owner: module, pairPassword: 'x' }),
};

test('a store that begins to move while it is looked at is never fenced at its new owner', async () => {
  const places = createPlaces(store.sql, ({ name }) =>
    name === 'shared' ? null : { host: name, port: 5432, database: 'db' },
  );
  const owner = async () => (await places.read()).find(({ module }) => module === 'parcels')!.server;
  await store.change(async (tx) => {
    await places.pairWith(tx, 'parcels', 'own');
    return true;
  });
  let moving: Promise<unknown> | undefined;
  let looks = 0;
  const granted: [string, string][] = [];
  const look = createPairLooks({
    ...{ self: randomUUID(), pairs: createPairRows(store.sql), places, store, reach, log },
    busy: async () => [],
    tell: async () => {},
    mechanics: {
      pairState: async () => ({ state: 'paired', lagBytes: 0, lagMs: 0 }),
      // The last moment before it is put right: the owner was read, and is the shared one still.
      isSettled: async () => {
        looks += 1;
        if (looks === 2) {
          moving = move();
          await Promise.race([moving, somebodyWaits()]);
        }
        return false;
      },
      recover: async (_between, { name }) => {
        granted.push([name, await owner()]);
      },
    },
  });
  const move = async () => {
    await store.change(async (tx) => {
      await places.hold(tx, 'parcels', at('own'));
      return true;
    });
    await store.change(async (tx) => {
      await places.own(tx, 'parcels', at('own'), 'shared');
      return true;
    });
  };

  await look();
  await moving;

  expect(granted).toEqual([['shared', 'shared']]);
  expect(await owner()).toBe('own');
});

/** Resolves when a session stands behind another's lock. */
async function somebodyWaits(): Promise<void> {
  for (;;) {
    const { rows } = await store.sql.query(
      `SELECT FROM pg_stat_activity WHERE usename = current_user AND wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
    await pause(5);
  }
}
