// `banyan doctor` against a server that answers like the admin API: exit codes, what is shown, 80 columns.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Examined } from '../banyan/doctor/contract.ts';
import { error, ok, unknown, warning } from '../banyan/doctor/finding.ts';
import { run } from './run.ts';

let server: Server;
let answer: { status: number; body: object };
beforeAll(async () => {
  server = createServer((_request, response) => {
    response.writeHead(answer.status).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());

const examined = (items: Examined['items']): Examined => ({
  items,
  at: '2026-11-29T12:00:00.000Z',
  host: 'monolith',
});
const finds = (...items: Examined['items']) => {
  answer = { status: 200, body: examined(items) };
};

async function banyan(words: string, env: Record<string, string> = {}, isTerminal = false) {
  const said = { out: '', err: '' };
  const output = (to: 'out' | 'err') => ({
    isTerminal,
    write: (text: string) => {
      said[to] += text;
    },
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const terminal = {
    env: { BANYAN_URL: url, ADMIN_TOKEN: 'secret', ...env },
    out: output('out'),
    err: output('err'),
    interrupted: new AbortController().signal,
  };
  return { exit: await run(words.split(' '), terminal), ...said };
}

const long = 'a word and another '.repeat(12);
const items = [
  error('setting', 'shared', long, `Run there: ALTER SYSTEM RESET fsync; ${long}`),
  warning('share', 'parcels', 'was left on', 'npx banyan restore parcels'),
  unknown('topic', 'all', 'no answer within 3 s', 'Ask again'),
  ok('clock', 'monolith', 'agrees'),
  ok('clock', 'parcels-1', 'agrees'),
  ok('key', 'hosts', 'all known'),
];

test('the worst comes first, each with what helps; what is well is a line, and the exit code is 3', async () => {
  finds(...items);
  const { exit, out } = await banyan('doctor');
  expect(exit).toBe(3);
  expect(out).toMatch(/monolith looked at 2026-11-\d\d \d\d:\d\d:\d\d: 1 error, 1 warning, 1 not checked\n/);
  expect(out).toContain(
    '  warning  share        parcels\n           was left on\n     next  npx banyan restore parcels\n',
  );
  expect(out).toContain(
    '  unknown  topic        all\n           not checked: no answer within 3 s\n     next  Ask again\n',
  );
  expect(out).toContain('  ok       clock 2, key 1; npx banyan doctor --all\n');
  expect(out.indexOf('error')).toBeLessThan(out.indexOf('warning '));
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('--all lists what is well, in colours where somebody looks', async () => {
  finds(...items);
  const { out } = await banyan('doctor --all', {}, true);
  expect(out).toContain('\u001b[31merror');
  const plain = stripVTControlCharacters(out);
  expect(plain).toContain(
    '  ok       clock        monolith: agrees\n  ok       clock        parcels-1: agrees\n',
  );
  expect(plain).not.toContain('--all');
});

test('without an error it ends with 0, whatever was not checked', async () => {
  finds(...items.slice(1));
  expect((await banyan('doctor')).exit).toBe(0);
  finds(ok('key', 'hosts', 'all known'));
  const { exit, out } = await banyan('doctor');
  expect(exit).toBe(0);
  expect(out).toMatch(/: all is well\n/);
});

test('--json is the answer as it came, and the same exit code', async () => {
  finds(...items);
  const { exit, out } = await banyan('doctor --json');
  expect([exit, out]).toEqual([3, `${JSON.stringify(answer.body)}\n`]);
});

test('what came from outside moves no cursor and breaks no line', async () => {
  finds(warning('probe', 'x\u001b[2Jy\nz', 'one\ntwo\u001b[1A', 'do\nit'));
  const { out } = await banyan('doctor');
  expect(out).not.toContain('\u001b');
  expect(out).toContain('one two');
});

test('wrong words are 2, nobody there is 1 with the next step, and so is a version without a doctor', async () => {
  expect(await banyan('doctor --loud')).toMatchObject({ exit: 2, err: expect.stringContaining('--help') });
  const nobody = await banyan('doctor', { BANYAN_URL: 'http://127.0.0.1:1' });
  expect(nobody).toMatchObject({ exit: 1, err: expect.stringContaining('next  Check BANYAN_URL') });
  answer = { status: 404, body: { type: 'x', title: 'Not found', status: 404, code: 'not-found' } };
  expect(await banyan('doctor')).toMatchObject({ exit: 1, err: expect.stringContaining('without a doctor') });
});
