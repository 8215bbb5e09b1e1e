// Sessions that a module ends, on their way to control: with the commit, from another process, past a switch of the
// module's store, by two who carry, and while control takes none.
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { controlSchema } from '../placement/schema.ts';
import { createSessionEnds, sessionEndTables } from '../placement/session-ends.ts';
import { type ControlStore, createControlStore } from '../placement/store.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl, runtimeRole } from '../postgres/roles.ts';
import { query, silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore } from '../store/create.ts';
import type { InnerStore, Transaction } from '../store/store.ts';
import { SessionCarrier } from './session-carrier.ts';

const log = pino({ level: 'silent' });
const secret = 'of this test';
const anna = '00000000-0000-7000-8000-000000000001';
const WITHIN_MS = 1_000;

let server: ThrowawayServer;
let control: ControlStore;
let controlUrl: string;
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await throwawayServer();
}, 60_000);
afterAll(() => server?.stop());

beforeEach(async () => {
  controlUrl = await prepared([], [controlSchema()]);
  control = createControlStore({ url: roleUrl(controlUrl, secret, 'banyan_control'), log });
  return async () => {
    for (const close of opened.splice(0).reverse()) await close();
    await control.close();
  };
});

async function prepared(modules: string[], schemas: Parameters<typeof provision>[0]['schemas'] = []) {
  const adminUrl = await server.database();
  await provision({ adminUrl, secret, modules, schemas, moduleDdl: sessionEndTables, log: silent });
  return adminUrl;
}

/** The module's store, in a database of its own. */
async function moduleStore(url?: string) {
  const adminUrl = url ?? (await prepared(['members']));
  const store = createStore({
    module: 'members',
    url: roleUrl(adminUrl, secret, runtimeRole('members')),
    prisma: () => undefined,
    publisher: { check: () => ({ id: '', row: undefined }), write: () => [] },
    onCommit: () => {},
    strict: true,
    log,
    hostId: 'monolith',
  });
  opened.push(() => store.close());
  return { adminUrl, store };
}

function carrier({ pool }: InnerStore, lookMs?: number, to = control.sql) {
  const one = new SessionCarrier({
    module: 'members',
    pool,
    control: to,
    log,
    ...(lookMs ? { lookMs } : {}),
  });
  opened.push(() => one.close());
  return one;
}

const revoked = async () => (await control.read()).revoked[anna];
const ended = async () => Object.keys((await control.read()).revokedSessions).sort();
const left = (adminUrl: string) => query(adminUrl, 'SELECT refused_at FROM members.session_end');
const inTime = (what: () => Promise<unknown>, expected: unknown) =>
  expect.poll(what, { timeout: WITHIN_MS, interval: 5 }).toEqual(expected);

test('what committed is carried at once, what did not is not, and an epoch never falls', async () => {
  const { adminUrl, store } = await moduleStore();
  // It looks by itself in a minute: what comes in time was told.
  const { wake } = carrier(store, 60_000);
  const sessions = createSessionEnds(wake);
  const endAll = (epoch: number) => store.transaction(async (tx) => sessions.endAll(tx, { id: anna, epoch }));
  await endAll(3);
  await inTime(revoked, 3);
  await endAll(2);
  await inTime(() => left(adminUrl), []);
  expect(await revoked()).toBe(3);
  const undone = async (tx: Transaction) => {
    sessions.end(tx, ['never']);
    throw new Error('undone');
  };
  await expect(store.transaction(undone)).rejects.toThrow('undone');
  await store.transaction(async (tx) => sessions.end(tx, ['one', 'other', 'one']));
  await inTime(ended, ['one', 'other']);
  await inTime(() => left(adminUrl), []);
});

test('what another process committed is heard; what was not heard, or left by who was killed, is found', async () => {
  const { adminUrl, store } = await moduleStore();
  const members = roleUrl(adminUrl, secret, runtimeRole('members'));
  await query(members, `SELECT end_sessions('${anna}', 2, NULL)`);
  carrier(store, 60_000);
  await inTime(revoked, 2);
  await query(members, `SELECT end_sessions('${anna}', 3, NULL)`);
  await inTime(revoked, 3);
  carrier(store);
  await query(members, `INSERT INTO session_end (session) VALUES ('unheard')`);
  await inTime(ended, ['unheard']);
});

test('two carry the same rows, and nothing is lost or in their way', async () => {
  const { adminUrl, store } = await moduleStore();
  const [one, two] = [carrier(store), carrier(store)];
  const sessions = createSessionEnds(() => [one, two].map(({ wake }) => wake()));
  const names = Array.from({ length: 300 }, (_, n) => `session-${n}`);
  await Promise.all(
    names.map((name, n) =>
      store.transaction(async (tx) => {
        sessions.end(tx, [name]);
        sessions.endAll(tx, { id: anna, epoch: n });
      }),
    ),
  );
  await inTime(() => left(adminUrl), []);
  expect(await ended()).toEqual([...names].sort());
  expect(await revoked()).toBe(299);
});

test('it follows the store of the module to another server, past a gate that is shut', async () => {
  const [here, there] = [await moduleStore(), await moduleStore()];
  const { pool } = here.store;
  const { wake } = carrier(here.store, 60_000);
  const sessions = createSessionEnds(wake);
  await here.store.transaction(async (tx) => sessions.end(tx, ['before']));
  await inTime(ended, ['before']);
  expect(await pool.hold()).toBe(true);
  const meanwhile = here.store.transaction(async (tx) => sessions.end(tx, ['meanwhile']));
  await pool.switchTo(roleUrl(there.adminUrl, secret, runtimeRole('members')));
  pool.release();
  await meanwhile;
  await inTime(ended, ['before', 'meanwhile']);
  const members = roleUrl(there.adminUrl, secret, runtimeRole('members'));
  await query(members, `SELECT end_sessions(NULL, NULL, '{heard}')`);
  await inTime(ended, ['before', 'heard', 'meanwhile']);
  expect([await left(here.adminUrl), await left(there.adminUrl)]).toEqual([[], []]);
});

test('where control takes no more, the row waits, others of the kind are refused, and it is carried when there is room', async () => {
  const { adminUrl, store } = await moduleStore();
  const { wake } = carrier(store);
  const sessions = createSessionEnds(wake);
  const end = (...names: string[]) => store.transaction(async (tx) => sessions.end(tx, names));
  const refusal = 'more sessions are revoked than hosts keep in mind';
  await expect(end(...Array.from({ length: 1001 }, (_, n) => String(n)))).rejects.toThrow(refusal);
  await query(
    controlUrl,
    `INSERT INTO banyan_control.revoked_session (id, until)
     SELECT n, now() + interval '1 hour' FROM generate_series(1, 100001) n`,
  );
  await end('waits');
  await inTime(async () => (await left(adminUrl)).map(({ refused_at: at }) => at !== null), [true]);
  await expect(end('refused')).rejects.toThrow(refusal);
  // The other kind has room.
  await store.transaction(async (tx) => sessions.endAll(tx, { id: anna, epoch: 5 }));
  await inTime(revoked, 5);
  await query(controlUrl, 'TRUNCATE banyan_control.revoked_session');
  await inTime(ended, ['waits']);
  await inTime(() => left(adminUrl), []);
  await end('taken');
  await inTime(ended, ['taken', 'waits']);
});

test('control that does not answer costs the module nothing, and is told when it does', async () => {
  const { adminUrl, store } = await moduleStore();
  let answers = false;
  const { wake } = carrier(store, 60_000, {
    query: (...asked) =>
      answers ? control.sql.query(...asked) : Promise.reject(new Error('the control store does not answer')),
  });
  const sessions = createSessionEnds(wake);
  await store.transaction(async (tx) => sessions.end(tx, ['late']));
  await pause(100);
  expect(await left(adminUrl)).toHaveLength(1);
  answers = true;
  await inTime(ended, ['late']);
});
