// Which requests of clients leave as calls, and what becomes of those that do not come to an answer that way.
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { AskByHttp } from '../calls/far-call.ts';
import type { ClientAnswer, ClientCall, RemoteCalls } from '../calls/remote.ts';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { libraryProblem, ModuleUnavailable } from '../contract/problem.ts';
import { Type } from '../contract/type.ts';
import { operationFinder } from '../http/lookup.ts';
import type { Door, Placements, Side } from '../routing/snapshot.ts';
import { createReads } from './reads.ts';

const http = (method: 'GET' | 'POST', path: string) => ({ http: { method, path } });
const common = { summary: 'x', access: 'public' as const, output: Type.Unknown(), idempotent: true };
const id = closed({ id: Type.String() });
const shop = defineContract('shop', {
  summary: 'x',
  operations: {
    one: operation({ ...common, input: id, ...http('GET', '/api/shop/:id') }),
    all: operation({
      ...common,
      input: closed({ limit: Type.Optional(Type.Integer()) }),
      ...http('GET', '/api/shop'),
    }),
    picture: operation({ ...common, input: id, ...http('GET', '/api/shop/:id/picture'), download: true }),
    add: operation({ ...common, input: nothing, ...http('POST', '/api/shop') }),
    keyed: operation({
      ...common,
      input: closed({ id: Type.String(), key: Type.String() }),
      headers: { key: 'X-Key' },
      ...http('GET', '/api/shop/:id/keyed'),
    }),
  },
});

interface Asked {
  readonly operation: string;
  readonly input: unknown;
  readonly client: ClientCall;
}

let app: FastifyInstance;
afterEach(() => app.close());

interface World {
  readonly answer?: (done: ClientAnswer) => void;
  readonly side?: Side;
  readonly doors?: Door[];
  readonly healthy?: boolean;
}

function world({
  answer = (done) => done(undefined, { fine: true }, 'shop-2'),
  side = 'service',
  doors = ['ws', 'http'],
  healthy = true,
}: World = {}) {
  const asked: Asked[] = [];
  const remote = {
    forClient: (_c: unknown, operation: string, input: unknown, client: ClientCall, done: ClientAnswer) => {
      asked.push({ operation, input, client });
      answer(done);
    },
  } as unknown as RemoteCalls;
  const instances = [
    { doors: ['ws', 'http'], healthy: false },
    { doors, healthy },
  ];
  const placements = { current: { modules: { shop: { instances } } } } as unknown as Placements;
  const reads = createReads(shop, remote, placements);
  const find = operationFinder(shop);
  app = Fastify();
  app.decorateRequest('operation', undefined);
  app.decorateRequest('side', 'service');
  app.decorateRequest('traceparent', '');
  app.all('/*', (request, reply) => {
    request.operation = find(request.method, request.url);
    request.side = side;
    request.traceparent = '00-trace';
    const proxied = () => reply.code(299).send('by the proxy');
    if (!reads(request, reply, proxied)) proxied();
  });
  const get = (url: string, more: InjectOptions = {}) => app.inject({ method: 'GET', url, ...more });
  return { asked, get };
}

describe('a plain read', () => {
  it('leaves as a call with the credentials of its client, and is answered as by the service', async () => {
    const { asked, get } = world();
    const { statusCode, headers, body } = await get('/api/shop/a-1', {
      headers: { authorization: 'Bearer x' },
    });
    expect({ statusCode, body }).toEqual({ statusCode: 200, body: '{"fine":true}' });
    expect(headers).toMatchObject({
      'x-served-by': 'shop-2',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(asked).toMatchObject([
      {
        operation: 'one',
        input: { id: 'a-1' },
        client: { authorization: 'Bearer x', traceparent: '00-trace' },
      },
    ]);
  });

  it('brings the headers that its operation names, and has no fields but its own', async () => {
    const { asked, get } = world();
    await get('/api/shop/1/keyed', { headers: { 'x-key': 'k' } });
    await get('/api/shop');
    expect(asked.map(({ input }) => input)).toEqual([{ id: '1', key: 'k' }, {}]);
  });

  it('that is refused by the service gets its problem', async () => {
    const refused = libraryProblem('unauthenticated', { detail: 'no', retryAfter: 2 });
    const { get } = world({ answer: (done) => done(refused, undefined, 'shop-2') });
    const { statusCode, headers, body } = await get('/api/shop/1');
    expect(statusCode).toBe(401);
    expect(headers).toMatchObject({
      'x-served-by': 'shop-2',
      'content-type': 'application/problem+json; charset=utf-8',
      'www-authenticate': 'Bearer',
      'retry-after': '2',
    });
    expect(JSON.parse(body)).toEqual(refused.body);
  });

  it.each([
    ['the service wants it by HTTP', new AskByHttp()],
    ['nobody could be reached', new ModuleUnavailable('shop', 'gone')],
    ['something else broke', new Error('broken')],
  ])('goes by the proxy when %s', async (_, error) => {
    const { asked, get } = world({ answer: (done) => done(error, undefined, '') });
    expect((await get('/api/shop/1')).statusCode).toBe(299);
    expect(asked).toHaveLength(1);
  });
});

describe('by the proxy goes at once', () => {
  it.each([
    ['a query', '/api/shop?limit=3', {}],
    ['an escape in the path', '/api/shop/%61', {}],
    ['an empty segment', '/api/shop/', {}],
    ['a character with a meaning', '/api/shop/a;b', {}],
    ['a very long segment', `/api/shop/${'a'.repeat(201)}`, {}],
    ['a body', '/api/shop/1', { payload: '{}' }],
    ['a download', '/api/shop/1/picture', {}],
    ['a missing header', '/api/shop/1/keyed', {}],
    ['an unknown path', '/api/shop/1/2/3', {}],
    ['HEAD', '/api/shop/1', { method: 'HEAD' as const }],
    ['a write', '/api/shop', { method: 'POST' as const }],
  ])('%s', async (_, url, more) => {
    const { asked, get } = world();
    expect((await get(url, more)).statusCode).toBe(299);
    expect(asked).toEqual([]);
  });

  it.each([
    ['what was routed to this side', { side: 'in-process' as const }],
    ['what is for a process without that door', { doors: ['http'] as Door[] }],
    ['what nobody healthy serves', { healthy: false }],
  ])('%s', async (_, given) => {
    const { asked, get } = world(given);
    expect((await get('/api/shop/1')).statusCode).toBe(299);
    expect(asked).toEqual([]);
  });
});
