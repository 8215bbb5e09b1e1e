// The command line against a server that answers like the admin API: what is printed where, the exit codes,
// and that every error says the next step.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Entry, InstanceStatus, Overview } from '../banyan/placement/admin-contract.ts';
import { writeInstanceFile } from '../banyan/supervisor/instance-file.ts';
import type { Suggestions } from './application.ts';
import { drawHistory } from './history-picture.ts';
import { drawStatus } from './picture.ts';
import { run } from './run.ts';
import { troublesOf } from './troubles.ts';

const instance = (id: string, own: Partial<InstanceStatus> = {}): InstanceStatus => ({
  id,
  pid: 4242,
  url: 'http://127.0.0.1:40123',
  healthy: true,
  supervised: true,
  draining: false,
  differences: [],
  ...own,
});
const entry = (module: string, own: Partial<Entry> = {}): Entry => ({
  module,
  placement: 'in-process',
  percent: 0,
  instances: [],
  desired: 0,
  changedAt: '2026-01-01T00:00:00.000Z',
  changedBy: 'default',
  ...own,
});

let server: Server;
let base: string;
let dataDir: string;
/** What the server answers, by `METHOD /path`; and what it was asked. */
let answers: Record<string, { status?: number; body: unknown }>;
let asked: { request: string; body: unknown; by: string | undefined }[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const name = `${request.method} ${request.url}`;
    const text = Buffer.concat(chunks).toString();
    asked.push({
      request: name,
      body: text && JSON.parse(text),
      by: request.headers['x-changed-by'] as string,
    });
    const denied = {
      status: 401,
      body: { title: 'Authentication is required', status: 401, code: 'unauthenticated' },
    };
    const { status = 200, body } =
      request.headers.authorization === 'Bearer secret' ? answers[name]! : denied;
    response.writeHead(status).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'banyan-cli-'));
  writeInstanceFile(dataDir, base);
  writeFileSync(join(dataDir, 'admin-token'), 'secret\n');
  asked = [];
  answers = {
    'GET /admin/placements': {
      body: {
        version: 7,
        monolith: { pid: 1, url: base },
        monoliths: [],
        modules: [entry('catalog'), entry('orders')],
      } satisfies Overview,
    },
  };
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

async function banyan(words: string, env: Record<string, string> = {}, interrupted = new AbortController()) {
  const printed = { out: '', err: '' };
  const output = (name: 'out' | 'err') => ({
    isTerminal: false,
    write: (text: string) => {
      printed[name] += text;
    },
  });
  const terminal = {
    env: { DATA_DIR: dataDir, ...env },
    out: output('out'),
    err: output('err'),
    interrupted: interrupted.signal,
  };
  const exit = run(words.split(' ').filter(Boolean), terminal);
  return Object.assign(printed, { exit: await exit });
}

const orders = entry('orders', {
  placement: 'service',
  percent: 100,
  desired: 1,
  instances: [instance('orders-1')],
});

describe('status', () => {
  test('--json is the answer, unchanged', async () => {
    const { out, exit } = await banyan('status --json');
    expect(out).toBe(`${JSON.stringify(answers['GET /admin/placements']!.body)}\n`);
    expect(exit).toBe(0);
  });

  test('is a picture in 80 columns with a next step for what is seen', () => {
    const overview: Overview = {
      version: 12,
      monolith: { pid: 41234, url: base },
      monoliths: [],
      modules: [
        entry('catalog', {
          placement: 'service',
          changedBy: `somebody@${'x'.repeat(80)}`,
          instances: [
            instance('catalog-1'),
            instance('catalog-2', { healthy: false, lastExit: 'exit code 1, '.repeat(20) }),
          ],
        }),
        entry('notifications', { instances: [instance('notifications-1', { supervised: false })] }),
        entry('media', {
          placement: 'service',
          instances: [
            instance('media-1', {
              healthy: false,
              heldOut: [{ by: 'monolith', reason: 'its clock is off', since: '2026-01-01T00:00:00Z' }],
            }),
          ],
        }),
        entry('orders'),
      ],
    };
    const options = {
      url: 'http://127.0.0.1:3000',
      now: Date.parse('2026-01-01T00:02:30Z'),
      style: (_: unknown, text: string) => text,
      suggestions: {},
    };
    const picture = drawStatus(overview, options);
    expect(picture.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(picture).toContain('pid 41234, version 12');
    expect(picture).toMatch(/catalog +service +2 min ago, somebody@x+…/);
    expect(picture).toMatch(/├ catalog-1 +pid 4242 +healthy/);
    expect(picture).toMatch(/└ catalog-2 +pid 4242 +down/);
    expect(picture).toMatch(/notifications-1 +pid 4242 +healthy, idle/);
    expect(picture).toMatch(/└ media-1 +pid 4242 +down[^\n]*\n +monolith sends it nothing: its clock is off/);
    expect(picture).toMatch(/npx banyan extract catalog media +start what is missing/);
    const calm = drawStatus({ ...overview, modules: [entry('orders')] }, options);
    expect(calm).toMatch(/npx banyan extract orders/);
  });

  test('of what was started elsewhere proposes neither to start nor to read it', () => {
    const proposed = (own: Partial<Entry>) => {
      const overview = {
        version: 1,
        monolith: { pid: 1, url: base },
        monoliths: [],
        modules: [entry('media', own)],
      };
      const options = {
        url: base,
        now: 0,
        style: (_: unknown, text: string) => text,
        suggestions: { extractNever: 'media' },
      };
      return drawStatus(overview, options).match(/npx .*?(?= {2})/g);
    };
    const elsewhere = instance('media-7', { supervised: false });
    const down = { ...elsewhere, healthy: false };
    expect(proposed({ placement: 'service', instances: [down] })).toEqual(['npx banyan restore media']);
    expect(proposed({ placement: 'service', instances: [elsewhere] })).toEqual(['npx banyan restore media']);
    expect(proposed({ instances: [elsewhere] })).toEqual(['npx banyan place media service']);
    const ours = [down, instance('media-1', { healthy: false })];
    expect(proposed({ placement: 'service', instances: ours })).toEqual([
      'npx banyan extract media',
      'npx banyan logs media',
    ]);
  });

  test('proposes what the application names, and of one that names nothing the first module', () => {
    const proposed = (modules: readonly Entry[], suggestions: Suggestions) => {
      const overview = { version: 1, monolith: { pid: 1, url: base }, monoliths: [], modules: [...modules] };
      const options = { url: 'http://here', now: 0, style: (_: unknown, text: string) => text, suggestions };
      return drawStatus(overview, options).match(/(npx|curl) .*?(?= {2})/g);
    };
    const named = { extractFirst: 'orders', extractNever: 'catalog', request: '/things?limit=1' };
    const curl = "curl -i 'http://here/things?limit=1'";
    const all = [entry('catalog'), entry('media'), entry('orders')];
    expect(proposed(all, {})).toEqual(['npx banyan extract catalog']);
    expect(proposed(all, named)).toEqual(['npx banyan extract orders', curl]);
    expect(proposed(all.slice(0, 2), named)).toEqual(['npx banyan extract media', curl]);
    expect(proposed(all.slice(0, 1), named)).toEqual([curl]);
    expect(proposed(all.slice(0, 1), { extractNever: 'catalog' })).toBeNull();
  });
});

describe('what is stuck', () => {
  const deliveries = (dead: number, waiting: number) => ({ deliveries: { dead, waiting, queued: 3 } });

  test('stands in the status with the command that shows it', async () => {
    answers['GET /admin/stores'] = { body: { items: [] } };
    answers['GET /admin/events'] = { body: { modules: [deliveries(8, 0), deliveries(1, 4)] } };
    const { out, exit } = await banyan('status');
    expect(exit).toBe(0);
    expect(out).toMatch(/^ {2}! 9 dead letters +npx banyan events dead$/m);
    expect(out).toMatch(/^ {2}! 4 events to be tried again +npx banyan events dead --state waiting$/m);
    expect(out.split('\n').filter((line) => line.length > 80 && !line.includes('Banyan at'))).toEqual([]);
    answers['GET /admin/events'] = { status: 403, body: { title: 'No', status: 403, code: 'forbidden' } };
    const blind = await banyan('status');
    expect([blind.exit, blind.out]).toEqual([0, expect.not.stringContaining('!')]);
  });

  test('sagas are counted where the application says', async () => {
    const asks: string[] = [];
    const ask = (async (_: string, path: string) => {
      asks.push(path);
      return { text: '', body: path === '/admin/events' ? { modules: [] } : { stuck: 1 } };
    }) as Parameters<typeof troublesOf>[0]['ask'];
    const sagas = { path: '/admin/trips', command: 'npx trips' };
    expect(await troublesOf({ ask }, { sagas })).toEqual([
      { colour: 'red', words: '1 stuck saga', command: 'npx trips' },
    ]);
    expect(await troublesOf({ ask }, {})).toEqual([]);
    expect(asks).toEqual(['/admin/events', '/admin/trips', '/admin/events']);
  });
});

describe('extract', () => {
  beforeEach(() => {
    answers['PUT /admin/services/orders'] = { body: orders };
    answers['PUT /admin/placements/orders'] = { body: orders };
  });

  test('starts first, then flips, and says by whom', async () => {
    const { out, err, exit } = await banyan('extract orders --instances 2');
    expect(asked.slice(1).map(({ request, body }) => [request, body])).toEqual([
      ['PUT /admin/services/orders', { instances: 2 }],
      ['PUT /admin/placements/orders', { placement: 'service' }],
    ]);
    expect(asked[2]!.by).toMatch(/^.+@.+ \(banyan extract\)$/);
    expect([out, err, exit]).toEqual(['orders serves from orders-1 (pid 4242)\n', '', 0]);
  });

  test('without a number keeps as many as there are, and is content when it is already so', async () => {
    answers['GET /admin/placements']!.body = { modules: [{ ...orders, desired: 3 }] };
    const { out, exit } = await banyan('extract orders');
    expect(asked[1]!.body).toEqual({ instances: 3 });
    expect([out, exit]).toEqual(['orders serves already from orders-1 (pid 4242)\n', 0]);
  });

  test('--json prints each answer unchanged; one that fails is a problem and the exit code', async () => {
    const problem = {
      type: 'x',
      title: 'A process did not become healthy',
      status: 502,
      code: 'start-failed',
      detail: 'why',
    };
    answers['PUT /admin/services/catalog'] = { status: 502, body: problem };
    const { out, err, exit } = await banyan('extract catalog orders --json');
    expect(out).toBe(`${JSON.stringify(problem)}\n${JSON.stringify(orders)}\n`);
    expect([err, exit]).toEqual(['', 1]);
  });

  test('names hosts that lag, and succeeds', async () => {
    answers['PUT /admin/placements/orders'] = { body: { ...orders, lagging: ['catalog-1'] } };
    const { err, exit } = await banyan('extract orders');
    expect(err).toMatch(/catalog-1 had not applied[\s\S]*next {2}npx banyan status/);
    expect(exit).toBe(0);
  });
});

test('status shows a share, who is too old for it, and what comes next', () => {
  const draw = (own: Partial<Entry>) =>
    drawStatus(
      {
        version: 12,
        monolith: { pid: 41234, url: base },
        monoliths: [],
        modules: [entry('catalog'), entry('orders', { ...orders, placement: 'canary', percent: 5, ...own })],
      },
      { url: base, now: Date.parse('2026-01-01T00:01:00.000Z'), style: (_, text) => text, suggestions: {} },
    );
  const picture = draw({ tooOld: ['a-gateway-with-a-name-of-some-length-in-another-place-1'] });
  expect(picture).toMatch(/orders +canary 5% +60 s|orders +canary 5% +1 min ago/);
  expect(picture).toMatch(/└ orders-1 +pid 4242 +healthy +http/);
  expect(picture).toContain('! too old for canary, sends all to the monolith: a-gateway');
  expect(picture).toContain('npx banyan place orders canary -p 10  a larger share');
  expect(picture).toContain('npx banyan extract orders ');
  expect(picture.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(draw({ percent: 99 })).not.toContain('larger');
  expect(draw({ instances: [] })).toContain('no process: its share is served in-process');
});

test('status shows the ladder of a module, and a mirror that pauses', () => {
  const draw = (own: Partial<Entry>) =>
    drawStatus(
      { version: 12, monolith: { pid: 41234, url: base }, monoliths: [], modules: [entry('orders', own)] },
      { url: base, now: Date.parse('2026-01-01T00:01:00.000Z'), style: (_, text) => text, suggestions: {} },
    );
  const ladder = (state: 'running' | 'paused' | 'done' | 'demoted' | 'stopped', rung = '10') => ({
    ladder: {
      state,
      rung,
      reason: `errors: 4 % of 300 (12) against 0 % of 3,000 (0), ${'and on '.repeat(20)}`,
    },
  });
  const share = { ...orders, placement: 'canary', percent: 10 } as const;
  const climbing = draw({ ...share, ...ladder('running') });
  expect(climbing).toMatch(/\n {2}↑ its ladder climbs, at 10 %: errors: 4 % of 300 [^\n]*…\n/);
  expect(climbing).toContain('npx banyan ladder status orders  where its ladder is');
  // Placed by hand it would be stopped.
  expect(climbing).not.toContain('npx banyan place');
  expect(draw({ ...share, ...ladder('paused') })).toContain('↑ its ladder pauses at 10 %: errors');
  expect(draw({ ...share, ...ladder('stopped') })).not.toContain('ladder');
  expect(draw({ ...orders, ...ladder('done') })).toContain('and is watched');
  const fallen = { instances: orders.instances, ...ladder('demoted', 'shadow') };
  expect(draw({ ...fallen, changedBy: 'judge' })).toContain('↓ it came down from shadow: errors');
  expect(draw({ ...fallen, changedBy: 'judge' })).toContain('why it came down');
  expect(draw({ ...fallen, changedBy: 'ada' })).not.toContain('ladder');
  const mirror = { reads: 100, writes: 5 };
  const mirrorPaused = '64 shadows were under way at once';
  const tried = draw({
    ...orders,
    placement: 'shadow',
    mirror,
    mirrorPaused,
    ...ladder('running', 'shadow'),
  });
  expect(tried).toContain(
    '  · its service is tried on 100% of reads and 5% of writes\n  ! that pauses: 64 shadows',
  );
  for (const picture of [climbing, tried])
    expect(Math.max(...picture.split('\n').map((l) => l.length))).toBeLessThanOrEqual(80);
});

describe('deploy', () => {
  const two = [
    { ...orders.instances[0]!, release: '1.4.0' },
    instance('orders-2', { release: '1.5.0', supervised: false }),
  ];
  const deployed = (percent: number, own: Partial<Entry> = {}) =>
    entry('orders', {
      ...orders,
      instances: two,
      deploy: { release: '1.5.0', percent, before: ['1.4.0'] },
      ...own,
    });

  test('names who gets what, and the next step', async () => {
    answers['PUT /admin/deploys/orders'] = { body: deployed(0) };
    expect(await banyan('deploy orders 1.5.0')).toEqual({
      out:
        'orders 1.5.0 (orders-2) gets nothing\norders 1.4.0 (orders-1) gets all\n' +
        'next  npx banyan deploy orders --percent 10\n',
      err: '',
      exit: 0,
    });
    expect(asked.at(-1)!.body).toEqual({ release: '1.5.0' });
    answers['PUT /admin/deploys/orders'] = { body: deployed(10, { instances: two.slice(1) }) };
    expect((await banyan('deploy orders -p 10 --reason calm')).out).toBe(
      'orders 1.5.0 (orders-2) gets 10%\norders 1.4.0 (not there) gets 90%\n' +
        'next  npx banyan deploy orders --percent 50\nnext  npx banyan deploy orders --back\n',
    );
    expect(asked.at(-1)!.body).toEqual({ percent: 10, reason: 'calm' });
  });

  test('goes back with one command, and is over with another', async () => {
    answers['PUT /admin/deploys/orders'] = {
      body: { ...deployed(0), note: 'and a note', lagging: ['monolith'] },
    };
    const { out, err } = await banyan('deploy orders --back');
    expect(asked.at(-1)!.body).toEqual({ percent: 0 });
    expect(out).toContain('\nand a note\n');
    expect(err).toContain('monolith');
    answers['DELETE /admin/deploys/orders'] = { body: entry('orders', { instances: two.slice(1) }) };
    expect((await banyan('deploy orders --end')).out).toBe(
      'orders has no deploy: its instances, of 1.5.0, are alike\n',
    );
    expect(JSON.parse((await banyan('deploy orders --end --json')).out)).toMatchObject({ module: 'orders' });
  });

  test.each([
    ['deploy orders', /Which release[\s\S]*npx banyan deploy --help/],
    ['deploy orders --back --end', /--back and --end are different wishes/],
    ['deploy orders --back --percent 5', /--percent and --back are different wishes/],
    ['deploy orders 1.5.0 --back', /--back is of the release that is deployed/],
    ['deploy orders --end --reason calm', /--reason goes with a share/],
  ])('%s is exit 2, and asks nothing', async (words, said) => {
    const { err, exit } = await banyan(words);
    expect([exit, asked]).toEqual([2, []]);
    expect(err).toMatch(said);
  });

  test('a refusal has the paths that break', async () => {
    const problem = {
      title: 'The contract of the release breaks its callers',
      status: 409,
      code: 'contract-incompatible',
      detail: 'orders-2 came as 1.5.0 of orders and was kept out.',
      errors: [{ path: '/orders/operations/place/input/region', message: 'is required now' }],
    };
    answers['PUT /admin/deploys/orders'] = { status: 409, body: problem };
    const { err, exit } = await banyan('deploy orders 1.5.0 -p 10');
    expect(exit).toBe(1);
    expect(err).toMatch(/was kept out[\s\S]*\/orders\/operations\/place\/input\/region is required now/);
  });

  test('status shows it, and of which release each process is, where they differ', () => {
    const draw = (one: Entry) =>
      drawStatus(
        { version: 12, monolith: { pid: 41234, url: base }, monoliths: [], modules: [one] },
        { url: base, now: Date.parse('2026-01-01T00:01:00.000Z'), style: (_, text) => text, suggestions: {} },
      );
    const picture = draw(deployed(10));
    expect(picture).toContain('\n  ⇄ deploy: 1.5.0 gets 10%, 1.4.0 90%\n');
    expect(picture).toMatch(/├ orders-1 [^\n]*\n {2}│ {3}release 1\.4\.0\n/);
    expect(picture).toMatch(/└ orders-2 [^\n]*\n {6}release 1\.5\.0\n/);
    expect(picture).toMatch(/deploy orders --percent 50 {2}1\.5\.0 gets 50%\n.*--back +1\.4\.0 all again/);
    expect(picture.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const alike = two.map((one) => ({ ...one, release: '1.5.0' }));
    expect(draw(entry('orders', { ...orders, instances: alike }))).not.toContain('release');
  });
});

describe('place and restore', () => {
  test('place flips alone; a refusal is printed with its remedy', async () => {
    const problem = {
      title: 'No healthy instance is registered',
      status: 409,
      code: 'no-healthy-instance',
      detail: 'Start one first: npx banyan extract orders',
    };
    answers['PUT /admin/placements/orders'] = { status: 409, body: problem };
    const refused = await banyan('place orders service');
    expect(refused).toMatchObject({ out: '', exit: 1 });
    expect(refused.err).toMatch(/No healthy instance[\s\S]*npx banyan extract orders/);
    expect((await banyan('place orders service --json')).out).toBe(`${JSON.stringify(problem)}\n`);
  });

  test('place gives a service a share, and says why to the history', async () => {
    const shared = entry('orders', { ...orders, placement: 'canary', percent: 10 });
    answers['PUT /admin/placements/orders'] = { body: shared };
    const { out, exit } = await banyan('place orders canary --percent 10 --reason release-7');
    expect([out, exit]).toEqual(['orders is placed canary 10%\n', 0]);
    expect(asked.at(-1)!.body).toEqual({ placement: 'canary', percent: 10, reason: 'release-7' });
    answers['GET /admin/placements']!.body = { modules: [shared] };
    expect((await banyan('place orders canary -p 10')).out).toBe('orders is already placed canary 10%\n');
    answers['PUT /admin/placements/orders']!.body = { ...shared, percent: 20 };
    expect((await banyan('place orders canary -p 20')).out).toBe('orders is placed canary 20%\n');
  });

  test('extract gives what it starts a share, where it is told which', async () => {
    answers['PUT /admin/services/orders'] = { body: orders };
    answers['PUT /admin/placements/orders'] = { body: { ...orders, placement: 'canary', percent: 10 } };
    const { out, exit } = await banyan('extract orders --percent 10');
    expect([out, exit]).toEqual(['orders serves 10% of its requests from orders-1 (pid 4242)\n', 0]);
    expect(asked.at(-1)!.body).toEqual({ placement: 'canary', percent: 10 });
    const before = asked.length;
    expect(await banyan('extract orders --percent 0')).toMatchObject({ exit: 1 });
    expect(asked).toHaveLength(before);
  });

  test('--percent is for canary alone: exit 2, and nothing is asked', async () => {
    for (const placement of ['service', 'in-process']) {
      const { err, exit } = await banyan(`place orders ${placement} --percent 10`);
      expect(err).toMatch(/--percent goes with canary[\s\S]*npx banyan place orders canary --percent 10/);
      expect(exit).toBe(2);
    }
    expect(await banyan('place orders canary --percent ten')).toMatchObject({ exit: 1 });
    expect(asked).toEqual([]);
  });

  test('restore flips back, waits as long as it was told, and stops', async () => {
    answers['PUT /admin/placements/orders'] = { body: entry('orders', { instances: orders.instances }) };
    answers['PUT /admin/services/orders'] = { body: entry('orders') };
    answers['GET /admin/placements']!.body = { modules: [orders] };
    const { out, exit } = await banyan('restore orders --timeout 1.5s');
    expect(asked.slice(1).map(({ body }) => body)).toEqual([
      { placement: 'in-process' },
      { instances: 0, timeoutMs: 1500 },
    ]);
    expect([out, exit]).toEqual(['orders serves in the monolith\n', 0]);
    expect(await banyan('restore --all')).toMatchObject({ out: 'orders serves in the monolith\n', exit: 0 });
  });

  test('a drain that takes too long is exit 1 with what to do', async () => {
    answers['PUT /admin/placements/orders'] = { body: orders };
    answers['PUT /admin/services/orders'] = {
      status: 504,
      body: {
        title: 'Requests were still running',
        status: 504,
        code: 'drain-timeout',
        detail: 'Nothing was stopped.',
      },
    };
    expect(await banyan('restore orders')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('Nothing was stopped.'),
    });
  });
});

describe('history and flags', () => {
  const change = {
    module: 'orders',
    at: '2026-11-28T19:00:00.000Z',
    from: 'in-process',
    to: 'canary',
    percent: 10,
    actor: 'operator',
    by: `ada: ${'x'.repeat(80)}`,
    reason: null,
    evidence: null,
    failed: null,
  };

  test('history is a line a change, with reasons below it: whole in a pipe, and between words in 80 columns', async () => {
    const judged = {
      ...change,
      actor: 'judge',
      by: 'ladder',
      reason: 'too\nslow',
      evidence: { bad: 'y'.repeat(90) },
    };
    const why = `errors: ${'12 of 300 at the service '.repeat(10)}end`;
    const long = { ...change, by: 'ada', reason: why, failed: 0 };
    const atEnd = { ...judged, evidence: { counts: [], now: { state: 'done', rung: 'background' } } };
    const end = { module: 'orders', id: 'orders-1', at: '2026-11-28T20:00:00.000Z', silent: false };
    const ended = [
      { ...end, how: 'ended by SIGKILL' },
      { ...end, id: 'orders-2', how: null },
      { ...end, id: 'orders-3', how: null, silent: true },
    ];
    const moved = {
      ...{
        module: 'orders',
        at: '2030-01-01T00:00:00.000Z',
        endedAt: null,
        task: 'move',
        from: 'shared',
        to: 'own',
      },
      ...{ state: 'rolled-back', by: 'ada', why: 'over\nthe budget', pause: 139.2, rows: 28_189 },
    };
    const body = { items: [judged, change, atEnd, long], nextCursor: '7.orders', stores: [moved], ended };
    answers['GET /admin/history?limit=20&module=orders'] = { body };
    const { out, exit } = await banyan('history orders');
    expect(out).toMatch(
      /by\n.*orders +its store +ada\n +move shared → own: rolled-back\n +a pause of 139 ms, 28,189 rows\n +over the budget\n/,
    );
    expect(out).toMatch(/orders +canary 10% +judge, ladder\n +too slow\n +\{"bad":"y/);
    expect(out).toMatch(/canary 10% +ada: x/);
    expect(out).toMatch(/\n +its ladder is at its end, with background work\n +too slow\n/);
    expect(out.match(/failed during this flip/g)).toHaveLength(1);
    expect(out).toMatch(/ada\n.*errors: .*end\n +failed during this flip: 0\n/);
    expect(out).toMatch(
      /orders +ended +orders-1\n +ended by SIGKILL\n.*orders-2\n +nobody saw.*\n.*orders-3\n +it was not heard/,
    );
    expect(out).toContain('older ones: npx banyan history orders --json');
    expect(out).toContain(`${' '.repeat(23)}${why}\n`);
    expect(exit).toBe(0);
    const style = (_format: unknown, text: string) => text;
    const drawn = drawHistory(body.items as never, body.stores as never, ended, style, 80).split('\n');
    expect(drawn.filter((line) => line.length > 80)).toEqual([]);
    expect(drawn.map((line) => line.trim()).join(' ')).toContain(why);
    answers['GET /admin/history?limit=100'] = { body };
    expect((await banyan('history --json')).out).toBe(`${JSON.stringify(body)}\n`);
  });

  test('flags is a file for flagd; --json the answer, unchanged', async () => {
    const body = { $schema: 'https://flagd.dev/schema/v0/flags.json', flags: {} };
    answers['GET /admin/flags'] = { body };
    expect(JSON.parse((await banyan('flags')).out)).toEqual(body);
    expect((await banyan('flags --json')).out).toBe(`${JSON.stringify(body)}\n`);
  });
});

describe('logs', () => {
  const write = (id: string, line: string) => appendFileSync(join(dataDir, 'logs', `${id}.log`), `${line}\n`);
  beforeEach(() => {
    mkdirSync(join(dataDir, 'logs'));
  });

  test('prints what the processes of a module wrote, each line with its process', async () => {
    write('orders-1', 'one');
    write('orders-1', 'two');
    write('orders-2', 'three');
    write('catalog-1', 'not this');
    expect((await banyan('logs orders')).out).toBe('orders-1 │ one\norders-1 │ two\norders-2 │ three\n');
    expect((await banyan('logs orders-1 -n 1')).out).toBe('two\n');
    expect(await banyan('logs media')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('npx banyan status'),
    });
  });

  test('-f goes on, also with a process that starts later, until it is interrupted', async () => {
    write('orders-1', 'one');
    const interrupt = new AbortController();
    const printed: string[] = [];
    const terminal = {
      env: { DATA_DIR: dataDir },
      out: { isTerminal: false, write: (text: string) => printed.push(text) },
      err: { isTerminal: false, write: () => {} },
      interrupted: interrupt.signal,
    };
    const following = run(['logs', 'orders', '-f'], terminal as never);
    await vi.waitFor(() => expect(printed.join('')).toBe('one\n'));
    write('orders-2', 'later');
    await vi.waitFor(() => expect(printed.join('')).toBe('one\norders-2 │ later\n'), { timeout: 3000 });
    interrupt.abort();
    expect(await following).toBe(0);
  });
});

describe('every error is exit 1 and says the next step', () => {
  const cases: [string, string, Record<string, string>, RegExp][] = [
    ['no module', 'extract', {}, /missing required argument[\s\S]*npx banyan extract --help/],
    ['no module to restore', 'restore', {}, /Which module\?[\s\S]*npx banyan restore orders/],
    ['instances that are no number', 'extract orders --instances two', {}, /whole number from 1 to 16/],
    ['no instances', 'extract orders --instances 0', {}, /npx banyan restore <module>/],
    ['a timeout that is none', 'restore orders --timeout soon', {}, /for example 500ms, 30s or 2m/],
    ['a placement that is none', 'place orders cloud', {}, /service, in-process/],
    [
      'no instance in that folder',
      'status',
      { DATA_DIR: '/nowhere' },
      /No Banyan is running[\s\S]*npm start/,
    ],
    [
      'nothing at that address',
      'status',
      { BANYAN_URL: 'http://127.0.0.1:9' },
      /ECONNREFUSED[\s\S]*BANYAN_URL/,
    ],
    ['an address that is none', 'status', { BANYAN_URL: 'here' }, /for example http:/],
    ['a wrong token', 'status', { ADMIN_TOKEN: 'wrong' }, /ADMIN_TOKEN is not the token/],
    ['no token', 'status', { DATA_DIR: '/nowhere', BANYAN_URL: 'http://127.0.0.1:9' }, /Set ADMIN_TOKEN/],
  ];
  test.each(cases)('%s', async (_name, words, env, expected) => {
    const { out, err, exit } = await banyan(words, env);
    expect([out, exit]).toEqual(['', 1]);
    expect(err).toMatch(expected);
    expect(err).toMatch(/next|npx banyan/);
    const json = await banyan(`${words} --json`, env);
    expect(json.exit).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      title: expect.any(String),
      status: expect.any(Number),
      code: expect.any(String),
    });
  });

  test.each([
    ['extrakt orders', /unknown command "extrakt" \(Did you mean extract\?\)\n[^\n]*npx banyan --help/],
    ['keys rotat', /unknown command "rotat" \(Did you mean rotate\?\)\n[^\n]*npx banyan keys --help/],
    ['operators --json garden', /unknown command "garden"/],
  ])('and of an unknown command 2: %s', async (words, expected) => {
    const { out, err, exit } = await banyan(words);
    expect(exit).toBe(2);
    expect(`${out}${err}`.replaceAll('\\"', '"')).toMatch(expected);
  });

  test('an unknown module is answered by the server', async () => {
    const problem = {
      title: 'No such module',
      status: 404,
      code: 'module-unknown',
      detail: 'There are: catalog, orders.',
    };
    answers['PUT /admin/placements/garden'] = { status: 404, body: problem };
    const { err, exit } = await banyan('extract garden');
    expect(err).toMatch(/There are: catalog, orders\.[\s\S]*npx banyan status/);
    expect(exit).toBe(1);
  });

  test('an instance that was killed is not taken for a running one', async () => {
    const file = join(dataDir, 'instance.json');
    const { machine } = await import('../banyan/context/process.ts');
    writeFileSync(
      file,
      JSON.stringify({ url: base, pid: 1, process: { machine, pid: 1, started: 'long ago' } }),
    );
    const { err, exit } = await banyan('status');
    expect(err).toMatch(/has ended without a word[\s\S]*npm start/);
    expect(exit).toBe(1);
  });
});

test('help and version', async () => {
  expect(await banyan('--help')).toMatchObject({
    exit: 0,
    out: expect.stringMatching(/status[\s\S]*extract[\s\S]*restore[\s\S]*DATA_DIR/),
  });
  expect(await banyan('--version')).toMatchObject({
    exit: 0,
    out: expect.stringMatching(/^\d+\.\d+\.\d+\n?$/),
  });
  expect((await banyan('docs')).out).toBe(`${base}/docs\n`);
});

describe('keys', () => {
  const key = (own: object) => ({
    kid: 'vTvbVmqzXAWyMVi9Mw-hoDbXzrhOOxYV1e9lrAt3TIM',
    purpose: 'session',
    name: 'users',
    modules: ['users'],
    issued: false,
    madeAt: '2026-01-01T00:00:00.000Z',
    signsFrom: '2026-01-01T00:00:00.000Z',
    retiredAt: null,
    ...own,
  });
  const announced = key({ kid: 'announced', signsFrom: null });
  const old = key({ kid: 'old', retiredAt: '2026-01-02T00:00:00.000Z' });

  test('are shown in 80 columns, each with what it is now', async () => {
    const long = key({ purpose: 'internal', name: 'a-service-of-a-very-long-name-elsewhere', issued: true });
    const items = [key({}), announced, old, long];
    answers['GET /admin/keys'] = { body: { items } };
    const { out, exit } = await banyan('keys');
    expect(exit).toBe(0);
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    for (const word of ['in use', 'announced', 'old, replaced', 'issued']) expect(out).toContain(word);
    expect((await banyan('keys --json')).out).toBe(`${JSON.stringify({ items })}\n`);
    expect(await banyan('keys list')).toMatchObject({ out, exit });
    expect((await banyan('keys list --json')).out).toBe(`${JSON.stringify({ items })}\n`);
  });

  test('are rotated; where hosts lag it says so, and what to do', async () => {
    answers['POST /admin/keys/session/rotate'] = { body: { items: [key({}), old], rotated: true } };
    const done = await banyan('keys rotate session');
    expect(done).toMatchObject({ exit: 0, out: `users has the key ${key({}).kid} from now on\n` });
    expect(asked.at(-1)).toMatchObject({ request: 'POST /admin/keys/session/rotate', body: {} });
    const body = { items: [key({}), announced], rotated: false, lagging: ['orders-1'] };
    answers['POST /admin/keys/session/rotate'] = { body };
    const waits = await banyan('keys rotate session');
    expect(waits.exit).toBe(1);
    expect(waits.err).toMatch(/orders-1 did not say so in time/);
    expect(waits.err).toMatch(/next {2}npx banyan keys rotate session/);
    expect(await banyan('keys rotate session --json')).toMatchObject({
      exit: 1,
      out: `${JSON.stringify(body)}\n`,
    });
    expect((await banyan('keys rotate root')).exit).toBe(1);
  });

  test('that were issued end by what the list shows of them, and are not said to be new by a rotation', async () => {
    const issued = key({ purpose: 'internal', kid: '-7loavGrWoL', name: 'orders', issued: true });
    answers['GET /admin/keys'] = { body: { items: [key({}), issued] } };
    answers['DELETE /admin/keys/-7loavGrWoL'] = { body: issued };
    for (const kid of ['-7loavGr', '-7loavGr…', '-7loavGrWoL'])
      expect((await banyan(`keys revoke -- ${kid}`)).out).toBe(
        'whoever speaks by -7loavGrWoL is refused from now on\n',
      );
    answers['DELETE /admin/keys/-7loavGrWoL'] = { body: { ...issued, lagging: ['monolith-2'] } };
    const late = await banyan('keys revoke -- -7loavGrWoL');
    expect([late.exit, late.err]).toEqual([0, 'slow  not after 2 s yet: monolith-2 refuses -7loavGrWoL\n']);
    answers['POST /admin/keys/internal/rotate'] = { body: { items: [issued], rotated: true } };
    const { out } = await banyan('keys rotate internal');
    expect(out).not.toContain('from now on');
    expect(out).toContain('npx banyan keys revoke -- -7loavGrWoL');
  });
});
