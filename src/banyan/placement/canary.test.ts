// A share of the requests as control has it: what is stored and what is refused, the history of it, hosts that do not
// know the word, and tables of the version before.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { firstOperator } from '../context/principal.ts';
import { identify } from '../context/process.ts';
import type { ProblemBody } from '../contract/problem.ts';
import { adminHandlers } from './admin.ts';
import { createDatabaseFollower, type DatabaseFollower } from './database-follower.ts';
import { by, execute, startTestServer, type TestServer } from './fixture.ts';
import { setPlacement } from './flip.ts';
import { historyHandlers } from './history-admin.ts';
import type { Registration } from './host.ts';
import { snapshotOf } from './picture.ts';
import { controlSchema } from './schema.ts';
import { type ControlStore, createControlStore } from './store.ts';
import { inItsWords, SPOKEN } from './words.ts';

const log = pino({ level: 'silent' });
const idle = { ready: true, draining: false, inflight: {}, busy: {} };
let server: TestServer;
let admin: string;
let store: ControlStore;
let follower: DatabaseFollower;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  const database = await server.database(controlSchema());
  admin = database.admin;
  store = createControlStore({ url: database.urlOf('banyan_control'), log });
  await store.flags.seed(['orders', 'users'], { users: { placement: 'canary', percent: 7 } });
  follower = createDatabaseFollower({ store, log, polls: false });
  await follower.start();
});
afterEach(async () => {
  await follower.stop();
  await store.close();
});

/** A host as far as the store can see. */
async function host(id: string, own: Partial<Registration> = {}): Promise<string> {
  const self: Registration = {
    host: randomUUID(),
    id,
    role: 'service',
    modules: [id.replace(/-\d+$/, '')],
    url: `http://127.0.0.1/${id}`,
    doors: ['ws', 'http'],
    process: identify(process.pid)!,
    contracts: {},
    speaks: SPOKEN,
    ...own,
  };
  await store.registry.register(self, idle);
  // No flip waits for it.
  await store.registry.beat({ ...idle, host: self.host, appliedVersion: 1000, speaks: own.speaks });
  return self.host;
}

const stored = async (module = 'orders') => {
  const { placement, percent } = (await store.read()).placements.find((row) => row.module === module)!;
  return [placement, percent];
};
const canary = (percent: number) =>
  setPlacement(store, follower, 'orders', { placement: 'canary', percent }, by('ada'));

function handlers() {
  const made = adminHandlers({ store, follower, host: null, monolith: () => ({ pid: 1, url: '' }) });
  const call = { principal: firstOperator } as Parameters<typeof made.place>[1] & { change?: unknown };
  const place = (input: object) =>
    (made.place({ module: 'orders', ...input } as never, call) as Promise<Record<string, unknown>>).catch(
      ({ body }: { body: ProblemBody }) => body,
    );
  const { history, flags } = historyHandlers(store);
  const read = (input: object) =>
    (
      history(input as never, call) as Promise<{
        items: Record<string, unknown>[];
        nextCursor: string | null;
      }>
    ).catch(({ body }: { body: ProblemBody }) => body as never);
  return { place, call, history: read, flags: () => flags({}, call) };
}

describe('a share', () => {
  test('is a flip like any other, and a change of it alone as well', async () => {
    await host('orders-1');
    expect(await canary(10)).toEqual({ outcome: 'changed', lagging: [] });
    expect(await stored()).toEqual(['canary', 10]);
    const { version } = await store.read();
    expect(await canary(10)).toEqual({ outcome: 'same', lagging: [] });
    expect((await store.read()).version).toBe(version);
    expect(await canary(50)).toEqual({ outcome: 'changed', lagging: [] });
    expect(follower.current).toMatchObject({
      version: version + 1,
      modules: { orders: { placement: 'canary', percent: 50 } },
    });
  });

  test('that failed requests says so in history, each flip for itself, and the largest count stands', async () => {
    await host('orders-1');
    const counted = async (failed: number) => {
      const { placement, percent, changedAt } = (await store.read()).placements.find(
        ({ module }) => module === 'orders',
      )!;
      await store.flags.keepCount({ module: 'orders', placement, percent, changedAt, failed });
    };
    await canary(10);
    await counted(3);
    await counted(0);
    await canary(50);
    await counted(0);
    await canary(10);
    const { items } = await handlers().history({ module: 'orders' });
    expect(items.slice(0, 3).map(({ percent, failed }) => [percent, failed])).toEqual([
      [10, null],
      [50, 0],
      [10, 3],
    ]);
  });

  test('needs a healthy instance, and keeps the last one', async () => {
    expect((await canary(10)).outcome).toBe('no-healthy-instance');
    await host('orders-1');
    await store.services.want('orders', 1, null);
    await canary(10);
    expect(await store.services.want('orders', 0, null)).toBe('last-instance');
  });

  test('is what PLACEMENTS says where none is stored', async () => {
    expect(await stored('users')).toEqual(['canary', 7]);
    await store.flags.seed(['users'], { users: { placement: 'service' } });
    expect(await stored('users')).toEqual(['canary', 7]);
  });

  test('that is none is percent-invalid, and changes nothing', async () => {
    await host('orders-1');
    const { place } = handlers();
    const shares = [undefined, 0, 100, 10.5, -1].map((percent) => ({ placement: 'canary', percent }));
    const others = [
      { placement: 'service', percent: 99 },
      { placement: 'in-process', percent: 1 },
    ];
    for (const wish of [...shares, ...others]) {
      const refused = { status: 422, code: 'percent-invalid', errors: [{ path: '/percent' }] };
      expect(await place(wish), JSON.stringify(wish)).toMatchObject(refused);
    }
    expect(await stored()).toEqual(['in-process', 0]);
  });

  test('says of itself what it was and is; 0 and 100 are what they say', async () => {
    await host('orders-1');
    const { place, call } = handlers();
    expect(await place({ placement: 'service', percent: 100 })).toMatchObject({
      placement: 'service',
      percent: 100,
    });
    expect(await place({ placement: 'canary', percent: 5 })).toMatchObject({
      placement: 'canary',
      percent: 5,
    });
    expect(call.change).toEqual({
      before: { placement: 'service', percent: 100 },
      after: { placement: 'canary', percent: 5 },
    });
    expect(await place({ placement: 'in-process', percent: 0 })).toMatchObject({ percent: 0 });
  });
});

describe('the history', () => {
  test('has who, why and on what, newest first, page by page', async () => {
    await host('orders-1');
    const { place, history } = handlers();
    await place({ placement: 'canary', percent: 10, reason: 'the new release' });
    const judge = { actor: 'judge', by: 'ladder', reason: '2.1 % errors', evidence: { bad: 21 } } as const;
    await store.flags.place('orders', { placement: 'in-process' }, judge);
    const { items } = await history({});
    expect(items.map(({ module, from, to, percent }) => [module, from, to, percent])).toEqual([
      ['orders', 'canary', 'in-process', 0],
      ['orders', 'in-process', 'canary', 10],
      ['orders', null, 'in-process', 0],
      ['users', null, 'canary', 7],
    ]);
    expect(items[0]).toMatchObject(judge);
    expect(items[1]).toMatchObject({ actor: 'operator', reason: 'the new release', evidence: null });
    const pages: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await history({ limit: 1, ...(cursor && { cursor }) });
      pages.push(...page.items);
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(pages).toEqual(items);
    expect((await history({ module: 'users' })).items).toEqual(items.slice(3));
  });

  test('refuses a module that nobody knows, and what is no cursor of it', async () => {
    const { history } = handlers();
    expect(await history({ module: 'garden' })).toMatchObject({ status: 404, code: 'module-unknown' });
    for (const cursor of ['x', '1', '1.', '1.a\u0000', '1.orders;', '99999999999999999999.orders'])
      expect(await history({ cursor })).toMatchObject({ status: 422, code: 'bad-cursor' });
  });
});

test('flags say the same in the words of flagd', async () => {
  await host('orders-1');
  await setPlacement(store, follower, 'orders', { placement: 'service' }, by('ada'));
  const variants = { service: 'service', 'in-process': 'in-process' };
  expect(await handlers().flags()).toEqual({
    $schema: 'https://flagd.dev/schema/v0/flags.json',
    flags: {
      orders: { state: 'ENABLED', variants, defaultVariant: 'service' },
      users: {
        state: 'ENABLED',
        variants,
        defaultVariant: 'in-process',
        targeting: {
          fractional: [
            ['service', 7],
            ['in-process', 93],
          ],
        },
      },
    },
  });
});

describe('a host of the version before', () => {
  test('refuses a share for as long as it lives, and is named', async () => {
    await host('orders-1');
    await host('gateway', { role: 'gateway', modules: [], speaks: undefined });
    const old = await host('users-3', { speaks: ['in-process', 'service'] });
    const refused = await handlers().place({ placement: 'canary', percent: 10 });
    expect(refused).toMatchObject({ status: 409, code: 'host-too-old' });
    expect(refused.detail).toMatch(
      /^gateway, users-3 are of a version that does not know the placement canary/,
    );
    expect(await stored()).toEqual(['in-process', 0]);
    // The words that it knows are free.
    expect(await handlers().place({ placement: 'service' })).toMatchObject({ placement: 'service' });
    await execute(admin, "DELETE FROM banyan_control.host WHERE id = 'gateway'");
    await execute(admin, `UPDATE banyan_control.host SET live = false WHERE host = '${old}'`);
    expect(await handlers().place({ placement: 'canary', percent: 10 })).toMatchObject({ percent: 10 });
  });

  test('that was one to the monolith that let it in says with a heartbeat what it knows', async () => {
    await host('orders-1');
    const late = await host('users-1', { speaks: undefined });
    expect((await canary(10)).outcome).toBe('host-too-old');
    await store.registry.beat({ ...idle, host: late, appliedVersion: 1000, speaks: SPOKEN });
    expect((await canary(10)).outcome).toBe('changed');
  });

  test('that comes later is let in, told that the module is in-process, and shown', async () => {
    await host('orders-1');
    await canary(10);
    const before = snapshotOf(await store.read());
    expect(inItsWords(before, SPOKEN)).toBe(before);
    const { orders, users } = inItsWords(before).modules;
    expect([orders, users]).toMatchObject([
      { placement: 'in-process', percent: 0 },
      { placement: 'in-process' },
    ]);
    expect(orders!.instances).toHaveLength(1);
    await host('users-1', { speaks: undefined });
    expect(await handlers().place({ placement: 'canary', percent: 20 })).toMatchObject({
      code: 'host-too-old',
    });
    const made = adminHandlers({ store, follower, host: null, monolith: () => ({ pid: 1, url: '' }) });
    const shown = (await made.placements({}, {} as never)) as { modules: object[] };
    expect(shown.modules[0]).toMatchObject({ module: 'orders', placement: 'canary', tooOld: ['users-1'] });
    // And back is always free.
    expect(await handlers().place({ placement: 'in-process' })).not.toHaveProperty('tooOld');
  });
});

test('tables of the version before are taken as they are, and what they say is the history', async () => {
  const fresh = await server.database(controlSchema());
  await execute(
    fresh.admin,
    `ALTER TABLE banyan_control.placement_audit DROP COLUMN actor, DROP COLUMN reason, DROP COLUMN evidence;
     ALTER TABLE banyan_control.host DROP COLUMN speaks;
     INSERT INTO banyan_control.placement (module, placement, percent, changed_by) VALUES ('orders', 'service', 100, 'eve');
     INSERT INTO banyan_control.placement_audit (version, module, from_placement, to_placement, percent, changed_by)
       VALUES (1, 'orders', NULL, 'in-process', 0, 'default'), (2, 'orders', 'in-process', 'service', 100, 'eve');`,
  );
  await execute(fresh.admin, `SET search_path = banyan_control; ${controlSchema().ddl}`);
  const upgraded = createControlStore({ url: fresh.urlOf('banyan_control'), log });
  try {
    expect(await upgraded.flags.history({ limit: 5 })).toMatchObject([
      {
        from: 'in-process',
        to: 'service',
        percent: 100,
        actor: 'operator',
        by: 'eve',
        reason: null,
        evidence: null,
      },
      { from: null, to: 'in-process', percent: 0, actor: 'operator', by: 'default' },
    ]);
    const [row] = (await upgraded.read()).placements;
    expect(row).toMatchObject({ placement: 'service', percent: 100 });
  } finally {
    await upgraded.close();
  }
});
