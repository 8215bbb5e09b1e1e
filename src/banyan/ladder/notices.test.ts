// Notices arrive in their order, are tried again, and hold nobody up; no line of the log has the secret of their address.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { createNotices, type Notices } from './notices.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** @param status of the answer to the nth request, from 0; undefined: it never answers. */
async function startSink(status: (nth: number) => number | undefined) {
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
  const log = pino({}, { write });
  const { port } = server.address() as AddressInfo;
  const notices: Notices = createNotices(`http://127.0.0.1:${port}/hook/s3cret?key=s3cret`, log, [5, 5]);
  closing.push(() => notices.close());
  const until = (done: () => boolean) =>
    new Promise<void>((resolve) => {
      told = () => done() && resolve();
      told();
    });
  return { got, lines, notices, until };
}

test('one after the other, and again what failed', async () => {
  const { got, lines, notices, until } = await startSink((nth) => (nth < 2 ? 503 : 204));
  notices.send({ text: 'first' });
  notices.send({ text: 'second' });
  await until(() => got.length === 4);
  expect(got).toEqual(['first', 'first', 'first', 'second']);
  expect(lines).toEqual([]);
});

test('what is refused is given up at once, with one line that has no secret', async () => {
  const { got, lines, notices, until } = await startSink((nth) => (nth === 0 ? 404 : 204));
  notices.send({ text: 'first' });
  notices.send({ text: 'second' });
  await until(() => got.length === 2);
  expect(got).toEqual(['first', 'second']);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/it answered 404.*"notice":"first"/);
  expect(lines.join()).not.toContain('s3cret');
});

test('whoever does not answer keeps a hundred waiting and no more, and a stop at none', async () => {
  const { got, lines, notices, until } = await startSink(() => undefined);
  const begun = performance.now();
  for (let n = 0; n < 150; n += 1) notices.send({ text: `number ${n}` });
  expect(performance.now() - begun).toBeLessThan(500);
  await until(() => got.length === 1);
  expect(lines).toHaveLength(49);
  notices.close();
  notices.send({ text: 'too late' });
  expect(got).toEqual(['number 0']);
});
