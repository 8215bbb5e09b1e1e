// Notices arrive in their order, are tried again, stay where they were not sent, and hold nobody up; no line of the log has
// the secret of their address. That their rows are handed out to one host at a time is in rows.long.test.ts.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import type { NoticeRows, WaitingNotice } from './notice-rows.ts';
import { createNotices } from './notices.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Row = { -readonly [F in keyof WaitingNotice]: WaitingNotice[F] } & { due: number };

/** As the table hands them out. */
function rowsOf(...texts: string[]): NoticeRows & { all: Row[] } {
  const all = texts.map((text): Row => ({ id: text, notice: { text }, tries: 0, due: 0 }));
  const remove = async (id: string) => void all.splice(all.findIndex((one) => one.id === id) >>> 0, 1);
  return {
    all,
    remove,
    async take() {
      const [first] = all;
      if (!first || first.due > Date.now()) return undefined;
      first.tries += 1;
      first.due = Date.now() + 10_000;
      return { ...first };
    },
    async postpone(id, ms) {
      for (const one of all) if (one.id === id) one.due = Date.now() + ms;
    },
    prune: async () => [],
  };
}

/** @param status of the answer to the nth request, from 0; undefined: it never answers. */
async function startSink(status: (nth: number) => number | undefined, ...texts: string[]) {
  const got: string[] = [];
  let told = () => {};
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const code = status(got.length);
    got.push(JSON.parse(Buffer.concat(chunks).toString()).text);
    if (code !== undefined) response.writeHead(code).end();
    told();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const lines: string[] = [];
  const write = (line: string) => {
    lines.push(line);
    told();
  };
  const { port } = server.address() as AddressInfo;
  const rows = rowsOf(...texts);
  const notices = createNotices({
    url: `http://127.0.0.1:${port}/hook/s3cret?key=s3cret`,
    rows,
    log: pino({}, { write }),
    waitsMs: [5, 5],
    everyMs: 5,
  });
  closing.push(() => notices.close());
  const until = (done: () => boolean) =>
    new Promise<void>((resolve) => {
      told = () => done() && resolve();
      told();
    });
  notices.start();
  return { got, lines, notices, rows, until };
}

test('one after the other, and again what failed', async () => {
  const { got, lines, until } = await startSink((nth) => (nth < 2 ? 503 : 204), 'first', 'second');
  await until(() => got.length === 4);
  expect(got).toEqual(['first', 'first', 'first', 'second']);
  expect(lines).toEqual([]);
});

test('what is refused is given up at once, with one line that has no secret', async () => {
  const { got, lines, until } = await startSink((nth) => (nth === 0 ? 404 : 204), 'first', 'second');
  await until(() => got.length === 2);
  expect(got).toEqual(['first', 'second']);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/it answered 404.*"notice":"first"/);
  expect(lines.join()).not.toContain('s3cret');
});

test('why the last one did not arrive is known, without its address', async () => {
  const { lines, notices, until } = await startSink(() => 404, 'first');
  expect(notices.trouble()).toBeUndefined();
  await until(() => lines.length === 1);
  expect(notices.trouble()).toBe('it answered 404');
});

test('what failed as often as it is tried is given up, and the next one sent', async () => {
  const { got, lines, until } = await startSink((nth) => (nth < 3 ? 503 : 204), 'first', 'second');
  await until(() => got.length === 4);
  expect(got).toEqual(['first', 'first', 'first', 'second']);
  expect(lines.join()).toMatch(/it answered 503.*"notice":"first"/);
});

test('a stop waits for nobody who does not answer, and leaves what was not sent to another host', async () => {
  const { got, lines, notices, rows, until } = await startSink(() => undefined, 'first', 'second');
  await until(() => got.length === 1);
  const begun = performance.now();
  await notices.close();
  expect(performance.now() - begun).toBeLessThan(1_000);
  notices.wake();
  expect(got).toEqual(['first']);
  expect(lines).toEqual([]);
  expect(rows.all.map(({ id, due }) => [id, due <= Date.now()])).toEqual([
    ['first', true],
    ['second', true],
  ]);
});
