// A ladder of shares in a whole shop, under traffic: it goes up on evidence, over a kill of who judges, and comes down by
// itself; a person's word stands. The service is one that does as the test says.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from '../src/banyan/postgres/free-port.ts';
import { catalog } from '../src/modules/catalog/contract.ts';
import { overview, place } from './flip-modules.ts';
import { type Foreign, startForeign } from './foreign-service.ts';
import { banyanWith } from './operators-cli.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { installationOf, startShop } from './start-shop.ts';

const PATH = '/admin/ladders/catalog';
const QUICK = ['--min-seconds', '2', '--min-requests', '20'];

let shop: Shop;
let foreign: Foreign;
let notices: { id: string; text: string; state: string; rung: string; actor: string; reason: string }[] = [];
let sink: ReturnType<typeof createServer>;
/** A rung whose first notice gets no answer. */
let unanswered: string | undefined;
/** Of every so many requests the service fails one; 0: none. */
let failsOneIn = 0;
let traffic: ReturnType<typeof setInterval>;
let served: Record<string, number> = {};

beforeAll(async () => {
  sink = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const notice = JSON.parse(Buffer.concat(chunks).toString());
    notices.push(notice);
    // Who sends that one waits until it is killed.
    if (notice.rung !== unanswered) response.end();
    else unanswered = undefined;
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => sink.once('listening', resolve));
  const env = {
    NOTIFY_URL: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/hook`,
    // The service finds the next monolith where the one before was.
    INTERNAL_PORT: String(await freePort()),
  };
  shop = clientOf(await startShop({ env }));
  await enter();
  // By traces of their own, so that they spread over the shares.
  traffic = setInterval(() => {
    for (let n = 0; n < 4; n += 1)
      fetch(new URL('/api/catalog/products?limit=1', shop.started.url))
        .then(async (answer) => {
          await answer.arrayBuffer();
          const by = `${answer.headers.get('x-served-by')} ${answer.status}`;
          served[by] = (served[by] ?? 0) + 1;
        })
        .catch(() => {});
  }, 50);
});
afterAll(async () => {
  clearInterval(traffic);
  await foreign?.close();
  await shop?.started.stop();
  sink?.close();
});
afterEach(async () => {
  failsOneIn = 0;
  await admin('PUT', '/admin/placements/catalog', { placement: 'in-process' });
});

const internal = () => `http://127.0.0.1:${shop.started.env.INTERNAL_PORT}`;

async function enter(): Promise<void> {
  const words = ['in-process', 'canary', 'service'];
  foreign = await startForeign(catalog, internal(), installationOf(shop.started), 1, words);
  let nth = 0;
  foreign.serve = (_request, response) => {
    nth += 1;
    if (failsOneIn > 0 && nth % failsOneIn === 0) response.writeHead(500).end();
    else
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[],"nextCursor":null}');
  };
}

// biome-ignore lint/suspicious/noExplicitAny: what a body is like is the very thing that tests assert
type Body = any;

/** Asked at whichever monolith there is now. */
const admin = async (method: string, path: string, body?: object) => {
  const answer = await fetch(new URL(path, shop.started.url), {
    method,
    headers: { authorization: `Bearer ${shop.adminToken}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Body };
};
const ladder = async () => (await admin('GET', PATH)).body;
const start = (body: object) => admin('PUT', PATH, { minSeconds: 2, minRequests: 20, ...body });
const banyan = (...words: string[]) =>
  banyanWith({ BANYAN_URL: shop.started.url, ADMIN_TOKEN: shop.adminToken, DATA_DIR: '/nowhere' }, ...words);
/** Several rungs may lie between. */
const at = async (fields: object) =>
  eventually(async () => {
    const now = await ladder();
    expect(now, JSON.stringify(now)).toMatchObject(fields);
    return now;
  }, 60_000);

test('a module without a ladder has none, and what makes no sense is refused in words', async () => {
  expect(await ladder()).toMatchObject({ module: 'catalog', state: 'none', rung: null, evidence: [] });
  const refused = async (body: object) => {
    const answer = await start(body);
    return `${answer.status} ${answer.body.code} ${answer.body.detail}`;
  };
  expect(await refused({ steps: [10, 5] })).toMatch(/^422 steps-invalid .*do not rise at "5"/);
  expect(await refused({ steps: ['shadow', 10, 100] })).toMatch(/^409 not-shadowable/);
  expect(await refused({ steps: [10, 100], until: 50 })).toMatch(/^422 steps-invalid .*name one of them/);
  expect((await admin('GET', '/admin/ladders/nothing')).body.code).toBe('module-unknown');
  for (const act of ['pause', 'resume', 'promote', 'demote'])
    expect((await admin('POST', `${PATH}/${act}`, {})).body.code).toBe('ladder-not-running');
  expect((await admin('DELETE', PATH)).body).toMatchObject({ state: 'none' });
  expect((await overview(shop, 'catalog')).placement).toBe('in-process');
});

test('it goes up on evidence alone, over a kill of who judges, is told of, and comes down within 5 s of half failing', async () => {
  notices = [];
  unanswered = '50';
  const begun = await start({ steps: [10, 50, 100] });
  expect(begun.status, JSON.stringify(begun.body)).toBe(200);
  expect(begun.body).toMatchObject({
    state: 'running',
    rung: '10',
    weaker: [expect.stringMatching(/weaker/)],
  });
  expect((await start({})).body).toMatchObject({ code: 'ladder-running' });
  await at({ rung: '50' });
  await eventually(() => expect(unanswered).toBeUndefined());
  shop.started.host.child.kill('SIGKILL');
  await shop.started.restart();
  shop = clientOf(shop.started);
  const done = await at({ state: 'done', rung: 'background', watched: true });
  for (const metric of ['errors', 'slow'])
    for (const rung of ['10', '50', '100'])
      expect(done.evidence).toContainEqual(
        expect.objectContaining({ rung, metric, verdict: 'good', far: expect.anything() }),
      );
  const { body } = await admin('GET', '/admin/history?module=catalog&limit=5');
  const [end, background, whole, half, tenth] = body.items;
  expect([tenth, half, whole, background, end].map((one) => `${one.actor} ${one.to} ${one.percent}`)).toEqual(
    ['operator canary 10', 'judge canary 50', 'judge service 100', 'judge service 100', 'judge service 100'],
  );
  expect(half.reason).toMatch(/errors: 0 % of \d/);
  expect(half.evidence.counts).toContainEqual(expect.objectContaining({ metric: 'errors', verdict: 'good' }));
  // In their order, and that one again, as whoever was sending it was killed.
  const told = ['running 10', 'running 50', 'running 50', 'running 100', 'running background'];
  await eventually(() =>
    expect(notices.map(({ state, rung }) => `${state} ${rung}`)).toEqual([...told, 'done background']),
  );
  expect(new Set(notices.map(({ id }) => id)).size).toBe(5);
  await eventually(async () => {
    const metrics = await fetch(new URL('/metrics', internal())).then((answer) => answer.text());
    expect(metrics).toMatch(/banyan_ladder_state\{[^}]*module="catalog",state="done"[^}]*\} 1/);
  });

  // It is watched where it came to, and comes down by itself.
  notices = [];
  failsOneIn = 2;
  const failing = performance.now();
  const down = await at({ state: 'demoted' });
  expect(performance.now() - failing).toBeLessThan(5_000);
  expect(down.reason).toMatch(/^errors: /);
  expect((await overview(shop, 'catalog')).placement).toBe('in-process');
  served = {};
  await eventually(() => expect(served['monolith 200']).toBeGreaterThan(20));
  await eventually(() => expect(notices).toMatchObject([{ state: 'demoted', actor: 'judge' }]));
  // It does not climb again by itself, and is on no watch.
  expect(await ladder()).toMatchObject({ state: 'demoted', watched: false });
});

test('a defect is found at its rung, in words; the command line ends with 3 and says why', async () => {
  failsOneIn = 3;
  const { exit, out, err } = await banyan('ladder', 'catalog', '--steps', '30,100', ...QUICK);
  expect(exit, out + err).toBe(3);
  expect(out).toMatch(/^catalog climbs: 30 % → 100 % → background\n {2}weaker than advised/);
  expect(err).toMatch(/^down catalog is back in-process, from 30 %\n {2}errors: \d+ % of/);
  expect(err).toMatch(/next {2}npx banyan ladder status catalog/);
  const status = await banyan('ladder', 'status', 'catalog');
  expect(status.out).toMatch(/× 30 % .*errors/);
  expect(status.out.split('\n').every((line) => line.length <= 80)).toBe(true);
  expect((await overview(shop, 'catalog')).placement).toBe('in-process');
});

test('a person has the last word: a placement by hand stops it and says so', async () => {
  await start({ steps: [10, 100], minSeconds: 600, maxSeconds: 2000 });
  const { exit, out } = await banyan('place', 'catalog', 'canary', '--percent', '30');
  expect([exit, out]).toEqual([0, 'catalog is placed canary 30%\n  Its ladder, at 10 %, is stopped.\n']);
  expect(await ladder()).toMatchObject({ state: 'stopped', watched: false });
  failsOneIn = 1;
  served = {};
  await eventually(() => expect(served['catalog-1 500']).toBeGreaterThan(20));
  expect(await overview(shop, 'catalog')).toMatchObject({ placement: 'canary', percent: 30 });
});

test('it waits for a person where it was told to, pauses for want of traffic, and does as it is told', async () => {
  await start({ steps: [10, 50, 100], confirm: true });
  await at({ waits: 'confirmation', rung: '10' });
  const promoted = await banyan('ladder', 'promote', 'catalog', '--reason', 'looks well');
  expect([promoted.exit, promoted.out]).toEqual([0, expect.stringMatching(/^catalog climbs, at 50 %/)]);
  expect((await banyan('ladder', 'pause', 'catalog')).exit).toBe(0);
  expect(await ladder()).toMatchObject({ state: 'paused', waits: 'person' });
  expect((await banyan('ladder', 'resume', 'catalog')).exit).toBe(0);
  expect((await banyan('ladder', 'promote', 'catalog', '--reason', 'no time')).exit).toBe(0);
  // The first one was good, and waited for a word; of the second nothing was known.
  expect((await ladder()).promoted).toEqual([{ rung: '50', reason: expect.stringMatching(/: no time$/) }]);
  expect((await banyan('ladder', 'demote', 'catalog')).out).toMatch(/^catalog came down from 100 %/);
  expect((await overview(shop, 'catalog')).placement).toBe('in-process');
  const { exit, err } = await banyan(
    ...['ladder', 'catalog', '--steps', '10,100', '--min-requests', '100000', '--min-seconds', '1'],
    ...['--max-seconds', '3'],
  );
  expect([exit, err]).toEqual([4, expect.stringMatching(/^paused catalog stays at 10 %/)]);
  expect((await banyan('ladder', 'stop', 'catalog')).exit).toBe(0);
  expect(await ladder()).toMatchObject({ state: 'stopped' });
  expect(await overview(shop, 'catalog')).toMatchObject({ placement: 'canary', percent: 10 });
});

test('a module that is guarded is taken back from where a person put it', async () => {
  const { exit, out } = await banyan('place', 'catalog', 'service', '--guard');
  expect([exit, out]).toEqual([0, expect.stringMatching(/is placed service\n {2}It is watched there/)]);
  failsOneIn = 2;
  await at({ state: 'demoted' });
  expect((await overview(shop, 'catalog')).placement).toBe('in-process');
  const inProcess = await place(shop, 'catalog', 'in-process');
  expect(inProcess.body.note).toBeUndefined();
});

test('where it is guarded one process that fell is started again, and three within a minute bring the module down', async () => {
  const database = new pg.Client({ connectionString: shop.started.databaseUrl });
  await database.connect();
  const fell = () =>
    database.query(
      `INSERT INTO banyan_control.ended (host, id, modules) VALUES (gen_random_uuid(), 'catalog-1', '{catalog}')`,
    );
  try {
    // Those of another rung do not count.
    await fell();
    expect((await banyan('place', 'catalog', 'service', '--guard')).exit).toBe(0);
    await fell();
    await fell();
    served = {};
    // It is looked at once a second.
    await eventually(() => expect(served['catalog-1 200']).toBeGreaterThan(160));
    expect(await ladder()).toMatchObject({ state: 'done', watched: true });
    await fell();
    const down = await at({ state: 'demoted' });
    expect(down.reason).toMatch(/^restarts: (catalog-1 ended at \S+ UTC without a drain(, )?){3}$/);
    expect((await overview(shop, 'catalog')).placement).toBe('in-process');
    const shown = await banyan('status');
    expect(shown.out).toMatch(/\n {2}↓ it came down from background: restarts: catalog-1 ended/);
  } finally {
    await database.end();
  }
});
