// The ladder commands against a server that answers like the admin API: exit codes, what is printed where, Ctrl-C, 80 columns.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Ladder } from '../banyan/ladder/contract.ts';
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

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const name = `${request.method} ${request.url}`;
    asked.push(`${name} ${Buffer.concat(chunks).toString()}`.trim());
    const entry = { module: 'parcels', instances: [{ id: 'parcels-1', healthy }], desired: 0 };
    const body = name.startsWith('GET /admin/placements')
      ? { modules: [entry] }
      : name.startsWith('GET')
        ? shown.length > 1
          ? shown.shift()
          : shown[0]
        : put;
    response.writeHead(200).end(JSON.stringify(body));
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
  expect(asked).toEqual([
    ...['pause', 'resume', 'promote', 'demote'].map(
      (act) => `POST /admin/ladders/parcels/${act} {"reason":"because"}`,
    ),
    'DELETE /admin/ladders/parcels',
  ]);
});

test('what was not understood is said with the step to take', async () => {
  for (const [words, message] of [
    ['ladder', /Which module\?/],
    ['ladder parcels --steps 0,10', /rising shares from 1 to 100/],
    ['ladder parcels --until 0', /whole number from 1 to 100/],
    ['ladder parcels --min-seconds 1.5', /whole number/],
    ['ladder promote', /missing required argument/],
  ] as const) {
    const { exit, err } = await banyan(words);
    expect([exit, err]).toEqual([1, expect.stringMatching(message)]);
    expect(err).toMatch(/\nnext {2}npx banyan ladder/);
  }
});

test('every picture keeps to 80 columns, whatever came from outside', () => {
  const looks = { style: (_format: unknown, text: string) => text, now: Date.parse('2026-01-01T13:00:00Z') };
  const near = { n: 1_234_567, bad: 1_234 };
  const evidence = (['1', '10'] as const).flatMap((rung) =>
    ['errors', 'differences'].map((metric) => ({ rung, metric, near, far: near, verdict: 'open' as const })),
  );
  const reason = `errors: ${'12 of 300 '.repeat(30)}${'x'.repeat(200)}\u001b[2J`;
  const states = ['none', 'running', 'paused', 'done', 'demoted', 'stopped'] as const;
  for (const state of states)
    for (const waits of [null, 'traffic', 'confirmation', 'person'] as const) {
      const text = drawLadder(
        ladder({ state, waits, evidence, reason, startedBy: 'ada '.repeat(50), weaker: [reason] }),
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
