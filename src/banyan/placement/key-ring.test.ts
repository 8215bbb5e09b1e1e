// The key ring on a real PostgreSQL: made once by any number of hosts, and every step of a key's life.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Keys } from '../identity/held-keys.ts';
import { generateSigningKey } from '../identity/keys.ts';
import { createRights } from '../identity/rights.ts';
import { createRootKey, WrongRootKey } from '../identity/root-key.ts';
import { admitRegistration } from './admission.ts';
import { serviceNetworks } from './advertised.ts';
import { createKeysHandler } from './control-keys.ts';
import { createDatabaseFollower, type DatabaseFollower } from './database-follower.ts';
import { KeyReplaced } from './entry.ts';
import { startTestServer, type TestServer } from './fixture.ts';
import { createKeyHolder } from './key-holder.ts';
import type { RingContent } from './key-ring.ts';
import { rotate } from './key-rotation.ts';
import { announceReplay } from './replay-announcement.ts';
import { controlSchema } from './schema.ts';
import { type ControlStore, createControlStore } from './store.ts';

const log = pino({ level: 'silent' });
const root = createRootKey('a root key of thirty-two characters');
const otherRoot = createRootKey('another root key of so many characters');
const imported = generateSigningKey();
const content: RingContent = {
  modules: { depots: [], parcels: ['depots'] },
  signer: 'depots',
  imported: undefined,
};
const DAY = 86_400;
const life = { session: DAY, internal: DAY, seal: DAY };

let server: TestServer;
let url: string;
let store: ControlStore;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  const database = await server.database(controlSchema());
  url = database.urlOf('banyan_control');
  store = storeOf();
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

function storeOf(): ControlStore {
  const one = createControlStore({ url, log });
  open.push(one);
  return one;
}

async function follow(one = store): Promise<DatabaseFollower> {
  const follower = createDatabaseFollower({ store: one, log });
  await follower.start();
  open.push({ close: () => follower.stop() });
  return follower;
}

const kids = (keys: readonly { kid: string }[]) => keys.map(({ kid }) => kid).sort();
const sessionKids = (follower: DatabaseFollower) => follower.current.jwks!.keys.map(({ kid }) => kid);

/** A host that beats and says by which version it decides. */
async function host(
  appliedVersion: number,
  { id = 'parcels-1', role = 'service' as 'service' | 'monolith', kid = null as string | null } = {},
): Promise<(version: number) => Promise<void>> {
  const report = { ready: true, draining: false, inflight: {}, busy: {} };
  const process = { machine: 'elsewhere', pid: 1, started: 'then' };
  const self = { host: crypto.randomUUID(), id, role, kid, modules: ['parcels'], process };
  await store.registry.register(
    { ...self, url: 'http://127.0.0.1:1', doors: ['http'], contracts: {} },
    report,
  );
  const beat = async (version: number) =>
    void (await store.registry.beat({ ...report, host: self.host, appliedVersion: version }));
  await beat(appliedVersion);
  return beat;
}

describe('the ring', () => {
  test('is made once, by however many start at once, and all of them have the same', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => storeOf().keys.open(root, content)));
    for (const keys of all) expect(kids(keys)).toEqual(kids(all[0]!));
    // session, internal of the monolith and of both, seals of both
    expect(all[0]).toHaveLength(6);
    expect(kids(await store.keys.open(root, content))).toEqual(kids(all[0]!));
  });

  test('shows in a picture who may speak as whom, and calls whom, and never a private half', async () => {
    await store.keys.open(root, content);
    const { services, seals, jwks } = (await follow()).current;
    expect(Object.keys(services!).sort()).toEqual(['depots', 'monolith', 'parcels']);
    expect(services!.parcels).toMatchObject({ modules: ['parcels'], uses: ['depots'] });
    expect(services!.monolith).toMatchObject({ modules: ['depots', 'parcels'], uses: ['depots'] });
    expect(seals!.parcels).toMatchObject([{ crv: 'X25519', use: 'enc' }]);
    expect(jwks!.keys).toMatchObject([{ crv: 'Ed25519', use: 'sig' }]);
    expect(JSON.stringify([services, seals, jwks, await store.keys.list()])).not.toMatch(/"d"|sealed/);
  });

  test('takes the session key of the version before, once', async () => {
    await store.keys.open(root, { ...content, imported });
    expect(sessionKids(await follow())).toEqual([imported.kid]);
    await store.keys.open(root, { ...content, imported: generateSigningKey() });
    expect((await store.keys.list()).filter(({ purpose }) => purpose === 'session')).toHaveLength(1);
  });

  test('grows with the product', async () => {
    const before = kids(await store.keys.open(root, content));
    await store.keys.open(root, { ...content, modules: { ...content.modules, routes: ['parcels'] } });
    const { services, seals } = (await follow()).current;
    expect(services!.routes).toMatchObject({ modules: ['routes'], uses: ['parcels'] });
    expect(services!.monolith!.modules).toEqual(['depots', 'parcels', 'routes']);
    expect(seals).toHaveProperty('routes');
    expect(kids(await store.keys.read(root))).toEqual(expect.arrayContaining(before));
  });

  test('is not opened and not changed under another root key', async () => {
    await store.keys.open(root, content);
    const before = await store.keys.list();
    const more = { ...content, modules: { ...content.modules, routes: [] } };
    await expect(store.keys.open(otherRoot, more)).rejects.toThrow(WrongRootKey);
    await expect(store.keys.read(otherRoot)).rejects.toThrow(WrongRootKey);
    expect(await store.keys.list()).toEqual(before);
  });

  test('hands a service the keys of its own modules and no others', async () => {
    const all = await store.keys.open(root, content);
    const follower = await follow();
    const keys: Keys = { held: () => undefined, find: async (kid) => all.find((one) => one.kid === kid) };
    const handOut = createKeysHandler(keys, follower, 'depots');
    const parcels = await handOut({ caller: 'parcels', kid: 'its own' });
    expect(Object.keys(parcels)).toEqual(['seals']);
    expect(Object.keys(parcels.seals!)).toEqual(['parcels']);
    expect(parcels.seals!.parcels).toMatchObject([{ crv: 'X25519', d: expect.any(String) }]);
    const depots = await handOut({ caller: 'depots', kid: 'its own' });
    expect(depots.sessions!.sign).toMatchObject({ kid: sessionKids(follower)[0], d: expect.any(String) });
    for (const caller of ['monolith', 'routes', '__proto__', ''])
      await expect(handOut({ caller, kid: 'some' })).rejects.toMatchObject({ status: 403 });
    // By the key of the version before, which all hosts shared.
    await expect(handOut({ caller: 'depots', kid: undefined })).rejects.toMatchObject({ status: 403 });
  });
});

test('a key is good for what it was made for, whatever others of its name are', async () => {
  const all = await store.keys.open(root, content);
  const wide = generateSigningKey();
  await store.keys.issue('parcels', ['parcels', 'depots'], wide, 'ada');
  const follower = await follow();
  const services = follower.current.services!;
  const narrow = services.parcels!.keys.find(({ kid }) => kid !== wide.kid)!.kid;
  const keys: Keys = { held: () => undefined, find: async (kid) => all.find((one) => one.kid === kid) };
  const handOut = createKeysHandler(keys, follower, 'depots');
  const has = async (kid: string) => {
    const { sessions, seals } = await handOut({ caller: 'parcels', kid });
    return [...Object.keys(seals!), sessions !== undefined];
  };
  expect(await has(narrow)).toEqual(['parcels', false]);
  expect(await has(wide.kid)).toEqual(['parcels', 'depots', true]);
  const said = { id: 'parcels-9', modules: ['depots'], url: 'http://127.0.0.1:1' };
  const admit = (kid: string) => () =>
    admitRegistration(said, { caller: 'parcels', kid }, services, serviceNetworks([]));
  expect(admit(narrow)).toThrow(/^The key of parcels is for parcels/);
  expect(admit(wide.kid)).not.toThrow();
  const { refusalOfName } = createRights(() => services);
  expect(refusalOfName({ caller: 'parcels', kid: narrow }, 'depots')).toMatchObject({ status: 403 });
  expect(refusalOfName({ caller: 'parcels', kid: wide.kid }, 'depots')).toBeUndefined();
});

test('a replay is announced for those that are asked in its course and ask others, and for no others', async () => {
  await store.keys.open(root, { ...content, modules: { ...content.modules, routes: ['parcels'] } });
  const follower = await follow();
  const before = follower.current.version;
  await announceReplay(store, follower, 'parcels');
  expect([follower.current.version, follower.current.replays]).toEqual([before, {}]);
  await announceReplay(store, follower, 'routes');
  const { replays, version } = follower.current;
  expect(replays).toEqual({ parcels: expect.any(Number) });
  expect(replays!.parcels! - Date.now()).toBeGreaterThan(100_000);
  await announceReplay(store, follower, 'routes');
  expect(follower.current.version).toBe(version);
});

describe('a rotation', () => {
  test('announces, waits for every live host, and has the new key sign', async () => {
    await store.keys.open(root, content);
    const follower = await follow();
    const [old] = sessionKids(follower);
    const beat = await host(follower.current.version);
    const rotating = rotate(store, follower, root, 'session', life, 'ada');
    await expect.poll(() => sessionKids(follower).length).toBe(2);
    // Announced: it is known, and signs nothing.
    expect(sessionKids(follower)[0]).toBe(old);
    await beat(follower.current.version);
    await expect.poll(() => sessionKids(follower)[0]).not.toBe(old);
    await beat(follower.current.version);
    expect(await rotating).toEqual({ rotated: true, settled: true, lagging: [] });
    expect(sessionKids(follower)).toEqual([expect.not.stringMatching(old!), old]);
    expect(await store.keys.read(root)).toHaveLength(7);
  });

  test('stops at a monolith that lags, signs by the old key on, and is gone on with', async () => {
    await store.keys.open(root, content);
    const follower = await follow();
    const [old] = sessionKids(follower);
    const beat = await host(0, { id: 'monolith-2', role: 'monolith' });
    // It beats, and says that it decides by an old picture.
    const beating = setInterval(() => void beat(0), 300);
    expect(await rotate(store, follower, root, 'session', life, 'ada')).toEqual({
      rotated: false,
      settled: false,
      lagging: ['monolith-2'],
    });
    expect(sessionKids(follower)[0]).toBe(old);
    const [, announced] = sessionKids(follower);
    clearInterval(beating);
    const following = setInterval(() => void beat(follower.current.version), 50);
    expect(await rotate(store, follower, root, 'session', life, 'ada')).toMatchObject({
      rotated: true,
      lagging: [],
    });
    clearInterval(following);
    expect(sessionKids(follower)).toEqual([announced, old]);
  });

  test('is not held up by who copied a service’s key and follows no picture, and ends that key', async () => {
    await store.keys.open(root, content);
    const follower = await follow();
    const kid = follower.current.services!.parcels!.keys[0]!.kid;
    const beat = await host(0, { id: 'parcels-99', kid });
    const beating = setInterval(() => void beat(0), 300);
    const rotation = await rotate(store, follower, root, 'internal', life, 'ada');
    await store.keys.forget();
    clearInterval(beating);
    expect(rotation).toEqual({ rotated: true, settled: true, lagging: ['parcels-99'] });
    expect(kids(await store.keys.list())).not.toContain(kid);
  });

  test('ends a key also where who copied it takes the id of a process that a monolith keeps', async () => {
    await store.flags.seed(['parcels'], {});
    await store.keys.open(root, content);
    const follower = await follow();
    const kid = follower.current.services!.parcels!.keys[0]!.kid;
    await store.services.want('parcels', 2, null);
    await store.services.started('parcels', 1, { machine: 'elsewhere', pid: 1, started: 'then' });
    await store.services.started('parcels', 2, { machine: 'elsewhere', pid: 2, started: 'then' });
    await host(0, { id: 'parcels-2', kid });
    await store.keys.turn((await store.keys.announce(root, 'internal', 'ada')).kids, 'ada');
    await expect(host(0, { id: 'parcels-1', kid })).rejects.toThrow(KeyReplaced);
    await store.keys.forget();
    expect(kids(await store.keys.list())).not.toContain(kid);
  });

  test('keeps a key for the process that a monolith keeps, and for one whose successor starts', async () => {
    await store.flags.seed(['parcels'], {});
    await store.keys.open(root, content);
    const follower = await follow();
    const kid = follower.current.services!.parcels!.keys[0]!.kid;
    await store.services.want('parcels', 1, null);
    await store.services.started('parcels', 1, { machine: 'elsewhere', pid: 1, started: 'then' });
    await host(0, { id: 'parcels-1', kid });
    await store.keys.turn((await store.keys.announce(root, 'internal', 'ada')).kids, 'ada');
    await store.keys.forget();
    expect(kids(await store.keys.list())).toContain(kid);
    const [kept] = (await store.read()).hosts;
    await store.registry.offer(kept!.host);
    await store.services.started('parcels', 1, { machine: 'elsewhere', pid: 2, started: 'then' });
    await store.keys.forget();
    expect(kids(await store.keys.list())).toContain(kid);
    await store.registry.leave(kept!.host);
    await store.keys.forget();
    expect(kids(await store.keys.list())).not.toContain(kid);
  });

  test('that was killed after the announcement is gone on with', async () => {
    await store.keys.open(root, content);
    const { kids: announced } = await store.keys.announce(root, 'seal', 'ada');
    const follower = await follow();
    expect(await rotate(store, follower, root, 'seal', life, 'ada')).toMatchObject({
      rotated: true,
      lagging: [],
    });
    const { seals } = follower.current;
    expect([seals!.depots![0]!.kid, seals!.parcels![0]!.kid].sort()).toEqual([...announced].sort());
    expect([seals!.depots!.length, seals!.parcels!.length]).toEqual([2, 2]);
  });

  test('by two at once is one', async () => {
    await store.keys.open(root, content);
    const both = [storeOf(), storeOf()];
    const [one, other] = await Promise.all(both.map(({ keys }) => keys.announce(root, 'session', 'ada')));
    expect(other!.kids).toEqual(one!.kids);
    await Promise.all(both.map(({ keys }) => keys.turn(one!.kids, 'ada')));
    const states = (await store.keys.list())
      .filter(({ purpose }) => purpose === 'session')
      .map(({ signsFrom, retiredAt }) => [signsFrom !== null, retiredAt !== null]);
    expect(states).toEqual([
      [true, false],
      [true, true],
    ]);
  });

  test('takes away what has been old for long enough, and nothing before', async () => {
    await store.keys.open(root, content);
    const follower = await follow();
    const [first] = sessionKids(follower);
    await rotate(store, follower, root, 'session', life, 'ada');
    await store.keys.sweep(life);
    expect(kids(await store.keys.list())).toContain(first);
    await store.keys.sweep({ ...life, session: 0 });
    await follower.refresh();
    expect(sessionKids(follower)).toHaveLength(1);
    expect(sessionKids(follower)).not.toContain(first);
  });

  test('leaves keys alone whose private halves only their owners have', async () => {
    await store.keys.open(root, content);
    const issued = generateSigningKey();
    await store.sql.query(
      `INSERT INTO key (kid, purpose, name, modules, public, signs_from) VALUES ($1, 'internal', 'elsewhere', '{parcels}', $2, now())`,
      [issued.kid, JSON.stringify({ kid: issued.kid })],
    );
    const follower = await follow();
    await rotate(store, follower, root, 'internal', life, 'ada');
    expect(follower.current.services!.elsewhere!.keys).toHaveLength(1);
    expect(follower.current.services!.parcels!.keys).toHaveLength(2);
  });
});

test('the keys in the memory of a host follow its picture, and those that have gone are gone', async () => {
  await store.keys.open(root, content);
  const follower = await follow();
  let loads = 0;
  const holder = createKeyHolder({
    load: async () => {
      loads += 1;
      return store.keys.read(root);
    },
    wanted: ({ jwks }) => [...jwks!.keys, { kid: 'of somebody else' }],
    log,
  });
  await holder.follow(follower);
  const [old] = sessionKids(follower);
  expect(holder.held(old!)).toMatchObject({ d: expect.any(String) });
  await rotate(store, follower, root, 'session', life, 'ada');
  const [present] = sessionKids(follower);
  await expect.poll(() => holder.held(present!)).toMatchObject({ d: expect.any(String) });
  await store.keys.sweep({ ...life, session: 0 });
  await rotate(store, follower, root, 'session', life, 'ada');
  await expect.poll(() => holder.held(old!)).toBeUndefined();
  // What is not for this host is not asked for with every picture.
  expect(loads).toBeLessThanOrEqual(4);
});
