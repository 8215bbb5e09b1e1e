// The ladder commands against a server that answers like the admin API: exit codes, what is printed where, Ctrl-C, 80 columns.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Ladder } from '../banyan/ladder/desk/contract.ts';
import { drawLadder, drawSamples } from './ladder-picture.ts';
import { run } from './run.ts';

const ladder = (own: Partial<Ladder> = {}): Ladder => ({
  module: 'parcels',
  state: 'running',
  rung: '10',
  steps: ['1', '10', '100', 'background'],
  reason: 'waits for 4 of 120 s',
  waits: null,
  shadow: { mirrored: 0, differed: 0, skipped: 0, failed: 0 },
  unjudged: [],
  evidence: [],
  policy: { minSeconds: 120, minRequests: 300, maxSeconds: 3600, confirm: false },
  weaker: [],
  watched: true,
  startedBy: 'ada',
  startedAt: '2026-01-01T12:00:00.000Z',
  rungSince: '2026-01-01T12:00:00.000Z',
  ...own,
});

let server: Server;
let base: string;
/** The answers to GET, one after the other; the last one stays. */
let shown: Ladder[];
/** The answer to all else. */
let put: Ladder;
let asked: string[];
let healthy: boolean;
/** Its ladder is refused, with this status. */
let refused: number | undefined;
let code: string;
/** What else is in its entry of the placements. */
let besides: object;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const name = `${request.method} ${request.url}`;
    asked.push(`${name} ${Buffer.concat(chunks).toString()}`.trim());
    const entry = { module: 'parcels', instances: [{ id: 'parcels-1', healthy }], desired: 0, ...besides };
    const body = name.startsWith('GET /admin/placements')
      ? { modules: [entry] }
      : name.startsWith('GET')
        ? shown.length > 1
          ? shown.shift()
          : shown[0]
        : put;
    if (refused && name.startsWith('PUT /admin/ladders')) {
      const problem = { status: refused, code, title: 'The module cannot be shadowed' };
      response.writeHead(refused).end(JSON.stringify(problem));
    } else response.writeHead(200).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  healthy = true;
  refused = undefined;
  code = 'not-shadowable';
  besides = {};
  put = ladder({ rung: '1' });
});

async function banyan(words: string, interrupted = new AbortController()) {
  const said = { out: '', err: '' };
  const output = (to: 'out' | 'err') => ({
    isTerminal: false,
    write: (text: string) => {
      said[to] += text;
    },
  });
  const env = { BANYAN_URL: base, ADMIN_TOKEN: 'secret' };
  const terminal = { env, out: output('out'), err: output('err'), interrupted: interrupted.signal };
  return { exit: await run(words.split(' '), terminal), ...said };
}

test('it starts a process where there is none, and asks for what was wished', async () => {
  healthy = false;
  shown = [ladder(), ladder({ state: 'done', rung: 'background' })];
  const { exit, out } = await banyan(
    'ladder parcels --steps 1,10,100 --until 100 --min-requests 5 --confirm',
  );
  expect(exit).toBe(0);
  expect(asked.slice(0, 3)).toEqual([
    'GET /admin/placements',
    'PUT /admin/services/parcels {"instances":1}',
    'PUT /admin/ladders/parcels {"steps":["1","10","100"],"until":100,"minRequests":5,"confirm":true}',
  ]);
  expect(out).toMatch(
    /^parcels climbs: 1 % → 10 % → 100 % → background\nparcels climbs, at 10 % for .*\nparcels serves from its service/,
  );
});

test('a ladder that is refused leaves no process that was started for it', async () => {
  healthy = false;
  const nowhere = await banyan('ladder parcels --steps 10,1');
  expect([nowhere.exit, asked]).toEqual([2, []]);
  expect(nowhere.err).toMatch(/These steps lead nowhere\n {2}The steps 10,1 do not rise/);
  refused = 409;
  expect((await banyan('ladder parcels')).exit).toBe(1);
  expect(asked.at(-1)).toBe('PUT /admin/services/parcels {"instances":0}');
  // One that was there before it stays.
  for (const [now, entry] of [
    [true, {}],
    [false, { desired: 1 }],
  ] as const) {
    [asked, healthy, besides] = [[], now, entry];
    expect((await banyan('ladder parcels')).exit).toBe(1);
    expect(asked.at(-1)).toMatch(/^PUT .admin.ladders/);
  }
});

test('on a terminal nothing that was said is drawn over', async () => {
  shown = [ladder({ rung: '1' }), ladder(), ladder({ state: 'done', rung: 'background' })];
  const control = '\u001b';
  const up = new RegExp(`(${control}\\[\\d+A${control}\\[J)`);
  let lines: string[] = [''];
  const output = {
    isTerminal: true,
    write(text: string) {
      for (const part of text.split(up)) {
        if (part.startsWith(control) && part.endsWith('J')) {
          lines = [...lines.slice(0, -1 - Number.parseInt(part.slice(2), 10)), ''];
          continue;
        }
        const [first, ...rest] = part.split('\n');
        lines = [...lines.slice(0, -1), lines.at(-1)! + first, ...rest];
      }
    },
  };
  const env = { BANYAN_URL: base, ADMIN_TOKEN: 'secret', NO_COLOR: '1' };
  const interrupted = new AbortController().signal;
  expect(await run(['ladder', 'parcels'], { env, out: output, err: output, interrupted })).toBe(0);
  expect(lines).toEqual([
    'parcels climbs: 1 % → 10 % → 100 % → background',
    expect.stringMatching(/^parcels climbs, at 10 % for /),
    expect.stringMatching(/^parcels serves from its service/),
    '',
  ]);
});

test.each([
  ['demoted', {}, 3, /^down parcels is back in-process, from 10 %\n {2}errors: half of 300\n/],
  ['paused', { waits: 'traffic' }, 4, /^paused parcels stays at 10 %: too little traffic/],
  ['stopped', {}, 1, /^stopped parcels stays where it is, at 10 %/],
] as const)('a ladder that is %s has an exit code of its own', async (state, own, code, words) => {
  shown = [ladder({ state, reason: 'errors: half of 300', ...own })];
  put = ladder();
  const { exit, out, err } = await banyan('ladder parcels');
  expect(exit).toBe(code);
  expect(err).toMatch(words);
  expect(err).toMatch(/\nnext {2}npx banyan ladder \w+ parcels\n$/);
  expect(out).toBe('parcels climbs: 1 % → 10 % → 100 % → background\n');
  put = ladder({ state, ...own });
  const json = await banyan('ladder parcels --json');
  expect([json.exit, JSON.parse(json.out).state, json.err]).toEqual([code, state, '']);
});

test('stopped by a placement by hand it says where the module is now', async () => {
  shown = [ladder({ state: 'stopped', rung: '1', reason: 'ada placed it' })];
  for (const [entry, where] of [
    [{ placement: 'canary', percent: 5 }, 'at 5 %'],
    [{ placement: 'in-process', percent: 0 }, 'in-process'],
  ] as const) {
    besides = entry;
    const { err } = await banyan('ladder parcels');
    expect(err).toMatch(`stopped parcels stays where it is, ${where}\n`);
  }
});

test('Ctrl-C leaves it running and says so', async () => {
  shown = [ladder()];
  const interrupted = new AbortController();
  const ended = banyan('ladder parcels', interrupted);
  await expect.poll(() => asked.length).toBeGreaterThan(1);
  interrupted.abort();
  const { exit, err } = await ended;
  expect(exit).toBe(130);
  expect(err).toMatch(
    /^The ladder of parcels goes on without you\.\nnext {2}npx banyan ladder status parcels/,
  );
  expect(asked.some((one) => one.startsWith('DELETE'))).toBe(false);
});

test('what can be done to one has its path and its reason', async () => {
  shown = [ladder()];
  for (const act of ['pause', 'resume', 'promote', 'demote'])
    await banyan(`ladder ${act} parcels --reason because`);
  await banyan('ladder stop parcels');
  await banyan('ladder stop parcels --reason because');
  expect(asked).toEqual([
    ...['pause', 'resume', 'promote', 'demote'].map(
      (act) => `POST /admin/ladders/parcels/${act} {"reason":"because"}`,
    ),
    'DELETE /admin/ladders/parcels',
    'DELETE /admin/ladders/parcels?reason=because',
  ]);
});

test('status says why shadows pause', async () => {
  besides = { mirrorPaused: '64 shadows were under way at once' };
  shown = [ladder({ rung: 'shadow', reason: 'waits for 0 of 20 requests (differences)' })];
  const { out } = await banyan('ladder status parcels');
  expect(out).toMatch(
    /\n {2}waits for 0 of 20 requests \(differences\)\n {2}! its shadows pause: 64 shadows were under way at once\n/,
  );
  shown = [ladder({ state: 'stopped' })];
  expect((await banyan('ladder status parcels')).out).not.toMatch(/shadows pause/);
});

test('what was not understood is said with the step to take', async () => {
  for (const [words, message] of [
    ['ladder', /Which module\?/],
    ['ladder parcels --steps 0,10', /rising shares from 1 to 100/],
    ['ladder parcels --until 0', /whole number from 1 to 100/],
    ['ladder parcels --steps up,down', /rising shares from 1 to 100/],
    ['ladder parcels --min-seconds 1.5', /whole number/],
    ['ladder parcels --min-seconds 0', /whole number from 1/],
    ['ladder parcels --nope', /unknown option/],
    ['ladder promote', /missing required argument/],
  ] as const) {
    const { exit, err } = await banyan(words);
    expect([exit, err]).toEqual([2, expect.stringMatching(message)]);
    expect(err).toMatch(/\nnext {2}npx banyan ladder/);
  }
  expect(asked).toEqual([]);
  // What only the server knows.
  refused = 404;
  for (code of ['module-unknown', 'steps-invalid', 'invalid'])
    expect((await banyan('ladder parcels')).exit, code).toBe(2);
});

test('every picture keeps to 80 columns, whatever came from outside', () => {
  const looks = { style: (_format: unknown, text: string) => text, now: Date.parse('2026-01-01T13:00:00Z') };
  const near = { n: 1_234_567, bad: 1_234 };
  const evidence = (['1', '10'] as const).flatMap((rung) =>
    ['errors', 'differences'].map((metric) => ({ rung, metric, near, far: near, verdict: 'open' as const })),
  );
  const reason = `errors: ${'12 of 300 '.repeat(30)}${'x'.repeat(200)}\u001b[2J`;
  const promoted = [{ rung: '1' as const, reason }];
  const states = ['none', 'running', 'paused', 'done', 'demoted', 'stopped'] as const;
  for (const state of states)
    for (const waits of [null, 'traffic', 'confirmation', 'person'] as const) {
      const text = drawLadder(
        ladder({ state, waits, evidence, reason, startedBy: 'ada '.repeat(50), weaker: [reason], promoted }),
        looks,
      );
      expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
      expect(text).not.toContain('\u001b');
      expect(text).toContain('Try next');
    }
  const at = '2026-01-01T12:00:00.000Z';
  const sample = { operation: 'send', at, why: [reason], near: { text: reason }, far: {} };
  expect(
    drawSamples('parcels', [sample], looks)
      .split('\n')
      .filter((line) => line.length > 80),
  ).toEqual([]);
  expect(drawSamples('parcels', [], looks)).toMatch(/^There are no samples of parcels: /);
});

test('what was tried on the service is said with why some was not, and a rung that a person left by hand', () => {
  const style = (_: unknown, text: string) => text;
  const drawn = (own: object) => drawLadder(ladder(own), { style, now: 0 } as never);
  const shadow = { mirrored: 24, differed: 0, skipped: 1_286, failed: 0 };
  const skips = { 'budget-reached': 24, busy: 1_262 };
  expect(drawn({ shadow: { ...shadow, skips } })).toMatch(
    /\n {2}24 shadowed, 0 differed, 1,286 skipped \(1,262 host busy, 24 budget reached\)\n/,
  );
  // A monolith of the version before does not say why.
  expect(drawn({ shadow })).toMatch(/1,286 skipped\n/);
  const paused = '64 shadows were under way at once';
  expect(drawn({ shadow: { ...shadow, paused } })).toMatch(/its shadows pause: 64 shadows/);
  const promoted = [{ rung: '1', reason: 'promoted by ada: enough' }];
  expect(drawn({ promoted })).toMatch(/\n {4}1 %\n {17}left by hand: promoted by ada: enough\n/);
  expect(drawn({})).not.toMatch(/by hand/);
});

test('what was not judged in shadow is said, also when it is far up', () => {
  const style = (_: unknown, text: string) => text;
  const drawn = (own: object) => drawLadder(ladder(own), { style, now: 0 } as never);
  expect(drawn({ unjudged: ['cancel', 'retrySaga'] })).toMatch(
    /\n {2}not judged in shadow, for want of requests: cancel, retrySaga\n/,
  );
  expect(drawn({})).not.toMatch(/not judged/);
  expect(drawn({ unjudged: undefined })).not.toMatch(/not judged/);
});
