// A body is read alike where it is parsed and where it is only passed on: to the same byte, counted or in chunks, and of
// the same types.
import { Readable } from 'node:stream';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closed, type OperationSpec, operation } from '../contract/contract.ts';
import { prose } from '../contract/fields.ts';
import { Type } from '../contract/type.ts';
import { jsonBodies, jsonBodiesOf, noJsonBodies, passedBodies } from './body.ts';
import { bodyLimitOf } from './limits.ts';
import { answerWithProblems } from './problems.ts';

const of = (more: Partial<OperationSpec>) =>
  operation({
    summary: 'Something',
    access: 'public',
    input: closed({ text: Type.Optional(prose({ maxLength: 10_000 })) }),
    output: Type.Null(),
    idempotent: true,
    http: { method: 'POST', path: '/it' },
    ...more,
  });
const write = of({});
const upload = of({ input: closed({}), upload: { field: 'file', maxBytes: 1000 } });

/** A server with one route for the operation, read in one of the ways; undefined: there is no such operation. */
async function server(
  spec: OperationSpec | undefined,
  way: (app: FastifyInstance) => void,
): Promise<FastifyInstance> {
  const app = fastify({ bodyLimit: bodyLimitOf(undefined) });
  app.decorateRequest('operation', undefined);
  app.decorateRequest('traceparent', '');
  answerWithProblems(app);
  app.addHook('onRequest', async (request) => {
    request.operation = spec;
  });
  way(app);
  app.post('/it', { bodyLimit: bodyLimitOf(spec) }, async (request) => ({ got: request.body !== undefined }));
  await app.ready();
  return app;
}

const json = (length: number) => `{}${' '.repeat(length - 2)}`;
const ask = async (app: FastifyInstance, body: string, type = 'application/json', chunked = false) => {
  const answer = await app.inject({
    method: 'POST',
    url: '/it',
    headers: { 'content-type': type },
    payload: chunked ? Readable.from([Buffer.from(body.slice(0, 9)), Buffer.from(body.slice(9))]) : body,
  });
  return `${answer.statusCode} ${answer.json().detail ?? ''}`;
};

describe('a body', () => {
  let ways: FastifyInstance[];
  let uploads: FastifyInstance[];
  let none: FastifyInstance[];

  beforeAll(async () => {
    ways = await Promise.all([
      server(write, jsonBodies),
      server(write, (app) => jsonBodiesOf(app, () => write)),
      server(write, passedBodies),
    ]);
    uploads = await Promise.all([
      server(upload, (app) => {
        jsonBodies(app);
        noJsonBodies(app, upload);
      }),
      server(upload, passedBodies),
    ]);
    none = await Promise.all([server(undefined, jsonBodies), server(undefined, passedBodies)]);
  });
  afterAll(() => Promise.all([...ways, ...uploads, ...none].map((app) => app.close())));

  it.each([false, true])('ends at the same byte, in chunks: %s', async (chunked) => {
    for (const [apps, spec] of [[ways, write] as const, [none, undefined] as const]) {
      const limit = bodyLimitOf(spec);
      for (const app of apps) {
        expect(await ask(app, json(limit), undefined, chunked)).toBe('200 ');
        expect(await ask(app, json(limit + 1), undefined, chunked)).toBe(
          '413 The body is larger than this route takes.',
        );
      }
    }
  });

  it('is of the same type', async () => {
    for (const app of ways) {
      expect(await ask(app, '{}', 'Application/JSON; charset=utf-8')).toBe('200 ');
      for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/jsonp'])
        expect(await ask(app, '{}', type)).toMatch(/^415 Send application\/json/);
    }
    for (const app of uploads) {
      expect(await ask(app, json(60_000))).toBe(
        '415 Send multipart/form-data with one file in the field "file".',
      );
      expect(await ask(app, json(bodyLimitOf(upload) + 1))).toMatch(/^413 /);
      expect(await ask(app, 'x', 'text/plain')).toMatch(/^415 Send application\/json/);
    }
  });

  it('that is parsed has no more values than any operation takes', async () => {
    for (const app of ways.slice(0, 2)) {
      expect(await ask(app, JSON.stringify(Array(9_999).fill(1)))).toBe('200 ');
      expect(await ask(app, JSON.stringify(Array(10_001).fill(1)))).toMatch(/^422 /);
      expect(await ask(app, '{"__proto__":{}}')).toBe('400 The body is not valid JSON.');
      expect(await ask(app, '')).toBe('200 ');
    }
  });
});
