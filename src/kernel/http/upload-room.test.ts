// Room for uploads: taken by length, given back with the answer, and refused before a byte of the body is read.
import { connect } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, it } from 'vitest';
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

const post = (bytes: number) =>
  app.inject({
    method: 'POST',
    url: '/it',
    headers: { 'content-type': 'a/b' },
    payload: Buffer.alloc(bytes),
  });

it('is taken by length and given back with the answer', async () => {
  const waiting = await open(new UploadRoom(1000));
  const first = post(600);
  await expect.poll(() => waiting.length).toBe(1);
  const refused = await post(500);
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1']);
  const second = post(400);
  await expect.poll(() => waiting.length).toBe(2);
  for (const release of waiting.splice(0)) release();
  expect([(await first).statusCode, (await second).statusCode]).toEqual([200, 200]);
  const third = post(1000);
  await expect.poll(() => waiting.length).toBe(1);
  waiting[0]!();
  expect((await third).statusCode).toBe(200);
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
