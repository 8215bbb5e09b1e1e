// Room for uploads: taken by length, given back with the answer, refused before a byte of the body is read, and no
// client has all of it.
import { connect, type Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, it } from 'vitest';
import { anonymous } from '../context/principal.ts';
import { closed, nothing, operation } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';
import { bodyLimitOf } from './limits.ts';
import { answerWithProblems } from './problems.ts';
import { permit } from './routes.ts';
import { UploadRoom } from './upload-room.ts';

const spec = operation({
  summary: 'Upload',
  access: 'public',
  http: { method: 'POST', path: '/it' },
  upload: { field: 'file', maxBytes: 1000 },
  input: closed({}),
  output: Type.Object({ ...nothing.properties }),
  idempotent: false,
});

let app: FastifyInstance;
afterEach(() => app.close());

/** Reads a body as long as it comes; each is held until `release` is called. */
async function open(room: UploadRoom) {
  const waiting: (() => void)[] = [];
  app = fastify({ forceCloseConnections: true });
  app.decorateRequest('traceparent', '');
  app.decorateRequest('principal', null as never);
  app.addHook('onRequest', (request, _reply, done) => {
    const id = request.headers['x-user'];
    request.principal =
      typeof id === 'string' ? { kind: 'user', id, role: 'customer', epoch: 1, session: 's' } : anonymous;
    done();
  });
  answerWithProblems(app);
  app.addContentTypeParser('*', (_request, body, done) => {
    body.resume();
    body.on('end', () => done(null));
  });
  const take = permit((request, reply) => room.take(request, reply, spec));
  app.post('/it', { onRequest: take }, async () => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return 'read';
  });
  await app.listen({ port: 0 });
  return waiting;
}

const post = (bytes: number, remoteAddress: string, user?: string) =>
  app.inject({
    method: 'POST',
    url: '/it',
    remoteAddress,
    headers: { 'content-type': 'a/b', ...(user ? { 'x-user': user } : {}) },
    payload: Buffer.alloc(bytes),
  });

it('is taken by length and given back with the answer', async () => {
  const waiting = await open(new UploadRoom(1000));
  const first = post(600, '192.0.2.1');
  await expect.poll(() => waiting.length).toBe(1);
  const refused = await post(500, '192.0.2.2');
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1']);
  const second = post(400, '192.0.2.3');
  await expect.poll(() => waiting.length).toBe(2);
  for (const release of waiting.splice(0)) release();
  expect([(await first).statusCode, (await second).statusCode]).toEqual([200, 200]);
  const third = post(1000, '192.0.2.1');
  await expect.poll(() => waiting.length).toBe(1);
  waiting[0]!();
  expect((await third).statusCode).toBe(200);
});

/** Headers that promise a body, and none of it; the answer, if one comes. */
function promise(bytes: number, user: string): { socket: Socket; answer: Promise<string> } {
  const { port } = app.server.address() as { port: number };
  const socket = connect(port, '127.0.0.1', () =>
    socket.write(
      `POST /it HTTP/1.1\r\nhost: a\r\nx-user: ${user}\r\ncontent-type: a/b\r\ncontent-length: ${bytes}\r\n\r\n`,
    ),
  );
  return { socket, answer: new Promise((resolve) => socket.once('data', (data) => resolve(String(data)))) };
}

it('promises of one client hold a quarter, and others are served', async () => {
  const waiting = await open(new UploadRoom(4000));
  const idle = Array.from({ length: 13 }, () => promise(300, 'ada'));
  let refused = 0;
  for (const { answer } of idle) {
    void answer.then((text) => {
      if (text.startsWith('HTTP/1.1 503 ')) refused += 1;
    });
  }
  await expect.poll(() => refused).toBe(10);
  expect((await post(300, '192.0.2.9', 'ada')).json().detail).toContain('your uploads');
  const other = post(1000, '127.0.0.1', 'bob');
  const stranger = post(1000, '127.0.0.1');
  await expect.poll(() => waiting.length).toBe(2);
  for (const release of waiting.splice(0)) release();
  expect([(await other).statusCode, (await stranger).statusCode]).toEqual([200, 200]);
  for (const { socket } of idle) socket.destroy();
  // What was held is given back with the connection.
  await expect
    .poll(async () => {
      const again = post(900, '127.0.0.1', 'ada');
      await Promise.race([again, expect.poll(() => waiting.length).toBe(1)]);
      waiting.pop()?.();
      return (await again).statusCode;
    })
    .toBe(200);
});

it('counts a body of no known length as the longest, and answers before it is sent', async () => {
  await open(new UploadRoom(bodyLimitOf(spec) - 1));
  const { port } = app.server.address() as { port: number };
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('POST /it HTTP/1.1\r\nhost: a\r\ncontent-type: a/b\r\ntransfer-encoding: chunked\r\n\r\n'),
    );
    socket.once('data', (bytes) => {
      resolve(bytes.toString());
      socket.destroy();
    });
  });
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
});
