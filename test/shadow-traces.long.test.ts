// Every operation of every contract, shadowed between processes: nothing of it is left anywhere, and it says and publishes
// what a trial on the near side does. Callees are shadows too, in a third process. Also when whoever asks, or is asked, is
// killed meanwhile. `npm run rehearse -- ladder traces` does it ten thousand times.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cannot } from '../src/banyan/ladder/shadow/attempt.ts';
import { killMidShadow } from './shadow/kill.ts';
import { contractOf, differences, openShadowRoom, type ShadowRoom, traces } from './shadow/room.ts';
import { eventually } from './shop.ts';
import { type StartedShop, startShop } from './start-shop.ts';

let shop: StartedShop;
let room: ShadowRoom;

beforeAll(async () => {
  shop = await startShop();
  // Its jobs and consumers end with it.
  await shop.host.end();
  room = await openShadowRoom(shop);
}, 120_000);
afterAll(async () => {
  await room?.close();
  await shop?.stop();
});

test('every operation of every contract is shadowed and leaves nothing, or says why it cannot be', async () => {
  const promised = room.modules.contracts.flatMap(({ module, operations }) =>
    Object.keys(operations).map((operation) => `${module}.${operation}`),
  );
  expect(Object.keys(room.cases).toSorted()).toEqual(promised.toSorted());
  for (const [name, fresh] of Object.entries(room.cases)) {
    const { spec } = contractOf(room.modules, name);
    const request = await fresh();
    const before = await room.standing();
    const { far, near, failed } = await room.ask(name, request, { near: true });
    expect.soft(traces(before, await room.standing()), name).toEqual([]);
    if (cannot(spec)) {
      expect.soft(spec.shadow?.never, `${name} says why it cannot be shadowed`).toMatch(/\w+ \w+/);
      expect.soft(failed?.name, name).toBe('AskByHttp');
      continue;
    }
    expect.soft(failed, name).toBeUndefined();
    expect.soft(far?.disturbed, name).toBeUndefined();
    expect.soft(differences(room.modules, name, { far, near }), name).toEqual([]);
  }
}, 120_000);

test('a shadow that meets a lock gives up, says so, and holds nobody up', async () => {
  const request = await room.cases['catalog.changeProduct']!();
  const { id } = request.input as { id: string };
  const holder = new pg.Client({ connectionString: shop.databaseUrl });
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT FROM catalog.products WHERE id = $1 FOR UPDATE', [id]);
  try {
    expect((await room.ask('catalog.changeProduct', request)).far?.disturbed).toMatch(/lock/);
  } finally {
    await holder.query('ROLLBACK');
    await holder.end();
  }
  const { far } = await room.ask('catalog.changeProduct', request);
  expect(far).toMatchObject({ status: 200 });
  expect(far?.disturbed).toBeUndefined();
});

test('one whose budget runs out leaves nothing either', async () => {
  const request = await room.cases['orders.place']!();
  const before = await room.standing();
  const { far, failed } = await room.ask('orders.place', request, { ms: 12 });
  expect(failed !== undefined || far?.disturbed !== undefined).toBe(true);
  expect(traces(before, await room.standing())).toEqual([]);
});

test.each([
  ['its service is killed', 'callers', 'callers', 'banyan orders@callers', false],
  ['its service is frozen', 'callers', 'callers', 'banyan orders@callers', true],
  ['its monolith is killed, while the service works', 'monolith', 'callers', 'banyan orders@callers', false],
  [
    'its monolith is killed, while that tries it itself',
    'monolith',
    'monolith',
    'banyan orders@monolith',
    false,
  ],
] as const)(
  'one of which %s in the middle ends, and leaves nothing',
  async (_, who, openAt, application, frozen) => {
    const request = await room.cases['orders.place']!();
    const before = await room.standing();
    const how = { near: openAt === 'monolith', ...(frozen && { ms: 400 }) };
    const keepAsking = () => room.ask('orders.place', request, how);
    const { open, endedMs } = await killMidShadow(room, who, { keepAsking, openAt, frozen });
    expect(open).toContainEqual(expect.objectContaining({ application, role: 'banyan_orders' }));
    if (frozen) expect(endedMs).toBeLessThan(5_000);
    expect(traces(before, await room.standing())).toEqual([]);
    if (!frozen) await room.again(who);
    await eventually(async () =>
      expect((await room.ask('orders.place', request)).far).toMatchObject({ status: 202 }),
    );
  },
  60_000,
);
