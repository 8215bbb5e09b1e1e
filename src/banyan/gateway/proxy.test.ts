// The proxy before a service in another language, which answers what no service of ours would: its connection is its
// own affair, and the client's is the client's. Bytes on both sides, so that no library smooths anything over.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, it, vi } from 'vitest';
import { RefusalLog } from '../identity/hop.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import type { Placements } from '../routing/snapshot.ts';
import { Stats } from '../telemetry/stats.ts';
import { protectPublicPort } from './hygiene.ts';
import { mountProxy, type ProxyOptions } from './proxy.ts';
import { noteSides } from './sides.ts';
import { addSwitch } from './switch.ts';
import { createUpstreamConnections } from './upstream-connections.ts';
import { createUpstreams } from './upstreams.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A gateway before a service that says these bytes to whatever it is asked, and closes where it says so. */
async function world(says: string | ((asked: string) => string), waits = async () => {}) {
  const turns = { count: 0 };
  const counter = new Stats().of('shop', 'service', 'one');
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const service = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const asked = bytes.toString('latin1');
      heard.push(asked);
      const answer = typeof says === 'string' ? says : says(asked);
      socket.write(answer, 'latin1');
      if (/^connection:.*close|^HTTP\/1\.0/im.test(answer)) socket.end();
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    service.close();
  });
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const instance = { host: 'h', id: 'shop-1', url, doors: ['http'], healthy: true };
  const modules = { shop: { module: 'shop', placement: 'service', instances: [instance] } };
  const current = { modules, monoliths: [] };
  const placements = {
    current,
    subscribe: () => () => {},
    refresh: async () => current,
  } as unknown as Placements;
  const tokens = { mint: () => 'internal' } as unknown as InternalTokens;
  const refusals = new RefusalLog({ warn: () => {} });
  const upstreams = createUpstreams({ placements, tokens, refusals, onHeld: () => {}, alone: true });
  const connections = createUpstreamConnections(placements, upstreams.refusal);
  const app = Fastify();
  app.decorateRequest('traceparent', '');
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-served-by', 'monolith');
    done();
  });
  addSwitch(app, 'shop', placements, true);
  noteSides(app, placements, upstreams, new Set());
  protectPublicPort(app);
  await mountProxy(app, {
    module: 'shop',
    prefix: '/api/shop',
    upstreams,
    connections,
    reads: () => false,
    placements,
    guard: (_request: unknown, _reply: unknown, done: () => void) => waits().then(done),
    begins: () => {
      let over = false;
      turns.count += 1;
      return () => {
        if (!over) turns.count -= 1;
        over = true;
      };
    },
    counterOf: () => counter,
    local: false,
    tokens,
    onReroute: () => {},
    onFallBack: () => {},
  } as unknown as ProxyOptions);
  await app.listen({ port: 0, host: '127.0.0.1' });
  closing.push(async () => {
    await app.close();
    upstreams.close();
    await connections.close();
  });
  return { app, heard, turns, upstreams, instance, counter, sockets };
}

/** What comes back on one connection until it closes, or until `enough` says so. */
function ask(
  app: FastifyInstance,
  bytes: string,
  enough: RegExp,
): Promise<{ text: string; closed: boolean }> {
  return new Promise((resolve) => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1', () =>
      socket.write(bytes),
    );
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('latin1');
      if (enough.test(text)) {
        resolve({ text, closed: false });
        socket.destroy();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve({ text, closed: true }));
  });
}

const get = 'GET /api/shop/1 HTTP/1.1\r\nHost: a\r\n';
const last = /end$|502 /;

it.each([
  ['closes', 'HTTP/1.1 200 OK\r\nConnection: x-secret, close\r\nX-Secret: 1\r\nContent-Length: 3\r\n\r\nend'],
  [
    'keeps alive',
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nend',
  ],
  ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nend'],
  ['has no length', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nend'],
  ['says 103 first', 'HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend'],
  [
    'has trailers',
    'HTTP/1.1 200 OK\r\nTrailer: x-secret\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nend\r\n0\r\nX-Secret: 1\r\n\r\n',
  ],
  [
    'offers and asks as a proxy',
    'HTTP/1.1 200 OK\r\nUpgrade: x-secret\r\nProxy-Authenticate: x-secret\r\nProxy-Connection: close\r\nContent-Length: 3\r\n\r\nend',
  ],
])('a service that %s is no affair of the client’s connection', async (_, says) => {
  const { app } = await world(says);
  const { text } = await ask(app, `${get}\r\n`, /end\r?\n?/);
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(text).toMatch(/\r\nConnection: keep-alive\r\n/);
  expect(text).not.toMatch(/secret|proxy-|timeout=1\r|connection: close/i);
});

it('is counted once it is over: answered, failed, or given up by its client', async () => {
  let waits = async () => {};
  const says = 'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nend';
  const { app, counter, instance } = await world(says, () => waits());
  await ask(app, `${get}\r\n`, last);
  await vi.waitFor(() => expect(counter).toMatchObject({ count: 1, bad: 0 }));
  waits = () => new Promise(() => {});
  const gone = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  gone.write(`${get}\r\n`);
  await once(app.server, 'request');
  gone.destroy();
  await vi.waitFor(() => expect(counter).toMatchObject({ count: 2, bad: 0 }));
  waits = async () => {};
  (instance as { healthy: boolean }).healthy = false;
  await ask(app, `${get}\r\n`, / 503 /);
  await vi.waitFor(() => expect(counter).toMatchObject({ count: 3, watched: 3, bad: 1 }));
});

it('has one value where there is one to have, and all of those that may be many', async () => {
  const { app } = await world(
    'HTTP/1.1 200 OK\r\nDate: one\r\nDate: two\r\nServer: one\r\nServer: two\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 3\r\n\r\nend',
  );
  const { text } = await ask(app, `${get}\r\n`, last);
  expect(text.match(/^(date|server|set-cookie): .*$/gim)).toEqual([
    'date: one',
    'server: one',
    'set-cookie: a',
    'set-cookie: b',
  ]);
});

it('says nothing of a body where there is none', async () => {
  const { app } = await world('HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nend');
  const { text } = await ask(app, `${get}\r\n`, /\r\n\r\n/);
  expect(text).toMatch(/^HTTP\/1\.1 204 /);
  expect(text).not.toMatch(/content-length|end$/i);
});

it.each([
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nend'],
  ['no HTTP', 'hello\r\n\r\n'],
  ['40 kB of headers', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(40_000)}\r\nContent-Length: 3\r\n\r\nend`],
])('an answer of %s is a bad gateway', async (_, says) => {
  const { app } = await world(says);
  expect((await ask(app, `${get}\r\n`, last)).text).toMatch(/^HTTP\/1\.1 502 .*"code":"bad-gateway"/s);
});

it('20 kB of headers pass', async () => {
  const { app } = await world(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(20_000)}\r\nContent-Length: 3\r\n\r\nend`);
  expect((await ask(app, `${get}\r\n`, last)).text).toMatch(/^HTTP\/1\.1 200 /);
});

it.each(['Connection: close\r\n', 'Connection: x, CLOSE\r\n'])('%j of the client closes', async (header) => {
  const { app } = await world('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nend');
  expect((await ask(app, `${get}${header}\r\n`, /never/)).closed).toBe(true);
});

it('HTTP/1.0 closes, unless it asks to stay', async () => {
  const { app } = await world('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nend');
  expect((await ask(app, 'GET /api/shop/1 HTTP/1.0\r\n\r\n', /never/)).closed).toBe(true);
  const stays = await ask(app, 'GET /api/shop/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', last);
  expect(stays.text).toMatch(/\r\nConnection: keep-alive\r\n/);
});

it('ten writes of a client need one connection', async () => {
  const { app } = await world('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nend');
  const post = 'POST /api/shop HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}';
  const { text } = await ask(app, post.repeat(10), /(?:end.*){10}/s);
  expect(text.match(/HTTP\/1\.1 200 /g)).toHaveLength(10);
});

it('tells the service nothing of the client’s connection, who asks, and what was asked byte for byte', async () => {
  const { app, heard } = await world('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend');
  const fields = [
    'Connection: x-secret, close, authorization',
    'X-Secret: 1',
    'Authorization: Bearer a',
    'Keep-Alive: x-secret',
    'Proxy-Connection: x-secret',
    'Proxy-Authorization: x-secret',
    'TE: x-secret',
    'Trailer: x-secret',
    'Upgrade: x-secret',
    'HTTP2-Settings: x-secret',
    'X-Forwarded-For: 9.9.9.9',
    'X-Forwarded-Host: x-secret',
    'Forwarded: for=x-secret',
    'Via: 1.1 a',
  ];
  const { text } = await ask(
    app,
    `GET /api/shop/%61"<{|}?q="<^ HTTP/1.1\r\nHost: a\r\n${fields.join('\r\n')}\r\n\r\n`,
    last,
  );
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(heard[0]).toContain('GET /api/shop/%61"<{|}?q="<^ HTTP/1.1\r\n');
  expect(heard[0]).not.toMatch(/secret|9\.9\.9\.9/i);
  expect(heard[0]).toMatch(/\r\nvia: 1\.1 a, 1\.1 banyan\r\n/);
  expect(heard[0]).toMatch(/\r\nx-forwarded-for: 127\.0\.0\.1\r\n/);
  expect(heard[0]).toMatch(/\r\nauthorization: Bearer a\r\n/);
});

it('counts nobody any more who left while a hook waited', { timeout: 10_000 }, async () => {
  const { promise: waiting, resolve: goOn } = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const { app, heard, turns, upstreams } = await world(
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}',
    () => {
      entered.resolve();
      return waiting;
    },
  );
  const left = new Promise<void>((resolve) =>
    app.server.once('request', (_request, answer) => answer.once('close', resolve)),
  );
  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1', () =>
    client.write('GET /api/shop/things HTTP/1.1\r\nHost: h\r\n\r\n'),
  );
  await entered.promise;
  client.destroy();
  await left;
  goOn();
  while (heard.length === 0) await new Promise(setImmediate);
  expect([turns.count, upstreams.inflight('shop')]).toEqual([0, 0]);
});

it('takes a request back from a process that it does not reach any more, though control does', async () => {
  const { app, upstreams, instance } = await world('');
  const { text } = await ask(app, `${get}Connection: close\r\n\r\n`, /\r\n\r\n/);
  expect(text).toMatch(/^HTTP\/1.1 503 /);
  expect(upstreams.held()[instance.host]!.reason).toContain('does not answer at');
});

it('waits for one that is slow, and alive', { timeout: 10_000 }, async () => {
  const live = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const { app, heard, upstreams, sockets } = await world((asked) =>
    asked.includes('/health/live') ? live : '',
  );
  const answer = ask(app, `${get}Connection: close\r\n\r\n`, last);
  await vi.waitFor(() => expect(heard.filter((one) => one.includes('/health/live')).length).toBe(2), 8_000);
  expect(upstreams.held()).toEqual({});
  for (const socket of sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend');
  expect((await answer).text).toMatch(/end$/);
});
