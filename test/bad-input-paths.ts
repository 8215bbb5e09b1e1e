// Bad addresses: paths that try to leave their module, ids and cursors that are none, queries nobody knows,
// methods, headers that only hosts may set, and exchanges that no HTTP client would make.
import { expect } from 'vitest';
import type { Case, Got, Sent, World } from './bad-input.ts';

const get =
  (path: string, headers: Record<string, string> = {}) =>
  (world: World): Sent => ({
    path,
    token: world.customer.token,
    headers,
  });
const asAdmin =
  (path: string) =>
  (world: World): Sent => ({ path, token: world.admin });
const method =
  (name: string, path: string) =>
  (world: World): Sent => ({
    method: name,
    path,
    token: world.customer.token,
  });

const trick = (path: string): Case => ({ name: `the path ${path}`, send: get(path), status: 400 });

/** The bytes of a request: no client library between. */
const raw =
  (head: readonly string[], body = '') =>
  (): Sent => ({
    raw: `${head.join('\r\n')}\r\n\r\n${body}`,
  });

const ownOrders = (got: Got) => {
  expect(got.body.items).toHaveLength(1);
  expect(got.headers['x-served-by']).toMatch(/^(monolith|orders-1)$/);
};
const nothingFound = (got: Got) => expect(got.body).toEqual({ items: [], nextCursor: null });

export const paths: readonly Case[] = [
  trick('/api/orders/../../admin/placements'),
  trick('/api/orders/../users/me'),
  trick('/api/orders/%2e%2e/%2e%2e/admin/placements'),
  trick('/api/orders/%2E./users/me'),
  trick('/api/orders/./'),
  trick('/api/orders%2f..%2fusers%2fme'),
  trick('/api/orders/..'),
  trick('/api/media/..%2f..%2fetc%2fpasswd'),
  trick('/api/media/..\\..\\etc\\passwd'),
  trick('/api/orders/%5c..%5cadmin'),
  trick('//api/orders'),
  trick('/api//orders'),
  trick('/api/orders//'),
  trick('/api/orders%00'),
  trick('/api/orders/%00'),
  trick('/api/orders/%c0%ae%c0%ae/'),
  trick('/api/orders/%'),
  trick('/api/orders/..;/admin'),
  trick('/api/orders/..x'),
  trick('/api/orders/x%2E.'),
  trick('/api/orders/%zz'),
  { name: 'an encoded letter of a module', send: get('/api/%6Frders'), status: 200, check: ownOrders },
  {
    name: 'a module in encoded letters',
    send: get('/%61pi/%6f%72%64%65%72%73'),
    status: 200,
    check: ownOrders,
  },
  { name: 'dots encoded twice', send: get('/api/orders/%252e%252e'), status: 422, paths: ['/id'] },
  { name: 'a module in capitals', send: get('/api/Orders'), status: 404 },
  { name: 'a module that goes on', send: get('/api/ordersx'), status: 404 },
  { name: 'a module that is none', send: get('/api/nope'), status: 404 },
  { name: 'no module', send: get('/api'), status: 404 },
  { name: 'a path of nobody', send: get('/etc/passwd'), status: 404 },
  { name: 'a path below an operation', send: get('/api/orders/a/b/c'), status: 404 },
  { name: 'an operation with a slash behind it', send: get('/api/orders/'), status: 422, paths: ['/id'] },
  { name: 'an internal operation by its name', send: get('/calls/users/getUser'), status: 404 },
  { name: 'a call from outside', send: method('POST', '/calls/catalog/priceProducts'), status: 404 },
  { name: 'registration from outside', send: method('POST', '/control/sync'), status: 404 },
  { name: 'the metrics from outside', send: get('/metrics'), status: 404 },
  { name: 'an id that is none', send: get('/api/orders/1'), status: 422, paths: ['/id'] },
  { name: 'an id of SQL', send: get("/api/orders/1'%20OR%20'1'='1"), status: 422, paths: ['/id'] },
  {
    name: 'an id of 300 characters',
    send: get(`/api/orders/${'a'.repeat(300)}`),
    status: 422,
    paths: ['/id'],
  },
  {
    name: 'an id of 8,000 characters',
    send: get(`/api/orders/${'a'.repeat(8000)}`),
    status: 422,
    paths: ['/id'],
  },
  { name: 'a path of 20,000 characters', send: get(`/api/orders/${'a'.repeat(20_000)}`), status: 431 },
  {
    name: 'an order that does not exist',
    send: get('/api/orders/019b76da-a800-7000-8000-01a6aa00ffff'),
    status: 404,
  },
  {
    name: 'another’s order',
    send: (world) => get(`/api/orders/${world.foreignOrder}`)(world),
    status: 404,
    code: 'order-unknown',
  },
  {
    name: 'to cancel another’s order',
    send: (world) => method('DELETE', `/api/orders/${world.foreignOrder}`)(world),
    status: 404,
    code: 'order-unknown',
  },
  {
    name: 'another’s payments',
    send: (world) => get(`/api/payments?orderId=${world.foreignOrder}`)(world),
    status: 200,
    check: nothingFound,
  },
  {
    name: 'another’s notifications',
    send: (world) => get(`/api/notifications?orderId=${world.foreignOrder}`)(world),
    status: 200,
    check: nothingFound,
  },
  {
    name: 'a product that does not exist',
    send: get('/api/catalog/products/019b76da-a800-7000-8000-01a6aa00ffff'),
    status: 404,
    code: 'product-unknown',
  },
  {
    name: 'a product whose id is none',
    send: get('/api/catalog/products/%3Cscript%3E'),
    status: 422,
    paths: ['/id'],
  },
  {
    name: 'a picture that does not exist',
    send: get('/api/media/019b76da-a800-7000-8000-01a6aa00ffff'),
    status: 404,
    code: 'media-unknown',
  },
  { name: 'a picture whose id is a file', send: get('/api/media/passwd'), status: 422, paths: ['/id'] },
  {
    name: 'a picture in no variant',
    send: (world) => get(`/api/media/${world.picture}?variant=huge`)(world),
    status: 422,
    paths: ['/variant'],
  },
  {
    name: 'a picture in two variants',
    send: (world) => get(`/api/media/${world.picture}?variant=thumb&variant=original`)(world),
    status: 422,
    paths: ['/variant'],
  },
  {
    name: 'a range behind the end',
    send: (world) => get(`/api/media/${world.picture}`, { range: 'bytes=9999999-' })(world),
    status: 416,
  },
  {
    name: 'a user that does not exist',
    send: (world) => ({
      method: 'PATCH',
      path: '/api/users/019b76da-a800-7000-8000-01a6aa00ffff',
      token: world.admin,
      body: { blocked: true },
    }),
    status: 404,
    code: 'user-unknown',
  },

  { name: 'an unknown query', send: get('/api/orders?foo=1'), status: 422, paths: ['/foo'] },
  {
    name: 'several unknown queries',
    send: get('/api/orders?foo=1&bar'),
    status: 422,
    paths: ['/bar', '/foo'],
  },
  { name: 'a query __proto__', send: get('/api/orders?__proto__=1'), status: 422, paths: ['/__proto__'] },
  {
    name: 'a query __proto__ twice',
    send: get('/api/orders?__proto__=1&__proto__=2'),
    status: 422,
    paths: ['/__proto__'],
  },
  {
    name: 'a query constructor',
    send: get('/api/orders?constructor=1'),
    status: 422,
    paths: ['/constructor'],
  },
  {
    name: 'a query with brackets',
    send: get('/api/orders?limit[]=1&limit[$gt]=1'),
    status: 422,
    paths: ['/limit[$gt]', '/limit[]'],
  },
  {
    name: 'the id of the path as a query',
    send: (world) => get(`/api/catalog/products/${world.product.id}?id=${world.dear.id}`)(world),
    status: 422,
    paths: ['/id'],
  },
  {
    name: 'a query where a body belongs',
    send: () => ({
      method: 'POST',
      path: '/api/users/sessions?email=a',
      body: { email: 'a', password: 'b' },
    }),
    status: 422,
    paths: ['/email'],
  },
  { name: 'a limit twice', send: get('/api/orders?limit=1&limit=2'), status: 422, paths: ['/limit'] },
  { name: 'a limit of words', send: get('/api/orders?limit=ten'), status: 422, paths: ['/limit'] },
  { name: 'no limit', send: get('/api/orders?limit='), status: 422, paths: ['/limit'] },
  { name: 'a limit of 0', send: get('/api/orders?limit=0'), status: 422, paths: ['/limit'] },
  { name: 'a limit below 0', send: get('/api/orders?limit=-1'), status: 422, paths: ['/limit'] },
  { name: 'a limit of 101', send: get('/api/orders?limit=101'), status: 422, paths: ['/limit'] },
  { name: 'a broken limit', send: get('/api/orders?limit=1.5'), status: 422, paths: ['/limit'] },
  { name: 'a hexadecimal limit', send: get('/api/orders?limit=0x10'), status: 422, paths: ['/limit'] },
  { name: 'a limit with a power', send: get('/api/orders?limit=1e1'), status: 422, paths: ['/limit'] },
  {
    name: 'a limit of 400 digits',
    send: get(`/api/orders?limit=${'9'.repeat(400)}`),
    status: 422,
    paths: ['/limit'],
  },
  {
    name: 'a cursor of one’s own',
    send: get('/api/orders?cursor=abc'),
    status: 422,
    paths: ['/cursor'],
    code: 'bad-cursor',
  },
  {
    name: 'a cursor of SQL',
    send: get("/api/orders?cursor='%20OR%201=1--"),
    status: 422,
    paths: ['/cursor'],
    code: 'bad-cursor',
  },
  { name: 'a cursor of NUL', send: get('/api/payments?cursor=%00'), status: 422, paths: ['/cursor'] },
  { name: 'a cursor twice', send: get('/api/orders?cursor=a&cursor=b'), status: 422, paths: ['/cursor'] },
  { name: 'an empty cursor', send: get('/api/orders?cursor='), status: 422, paths: ['/cursor'] },
  {
    name: 'a cursor of 1,000 characters',
    send: get(`/api/orders?cursor=${'a'.repeat(1000)}`),
    status: 422,
    paths: ['/cursor'],
  },
  {
    name: 'a cursor of one’s own in catalog',
    send: get('/api/catalog/products?cursor=Zm9vYmFyZm9vYmFyZm9vYg'),
    status: 422,
    paths: ['/cursor'],
    code: 'bad-cursor',
  },
  {
    name: 'a cursor of one’s own in payments',
    send: get('/api/payments?cursor=1'),
    status: 422,
    paths: ['/cursor'],
    code: 'bad-cursor',
  },
  {
    name: 'a cursor of one’s own in notifications',
    send: get('/api/notifications?cursor=1'),
    status: 422,
    paths: ['/cursor'],
    code: 'bad-cursor',
  },
  {
    name: 'a cursor of one’s own in the ledger',
    send: asAdmin('/api/payments/sandbox/charges?cursor=1'),
    status: 422,
    paths: ['/cursor'],
    code: 'bad-cursor',
  },
  { name: 'payments of no order', send: get('/api/payments?orderId=1'), status: 422, paths: ['/orderId'] },
  { name: 'a search with NUL', send: get('/api/catalog/products?q=a%00'), status: 422, paths: ['/q'] },
  {
    name: 'a search of 201 characters',
    send: get(`/api/catalog/products?q=${'a'.repeat(201)}`),
    status: 422,
    paths: ['/q'],
  },
  { name: 'two searches', send: get('/api/catalog/products?q=a&q=b'), status: 422, paths: ['/q'] },
  {
    name: 'a search of SQL',
    send: get("/api/catalog/products?q=zzz'%20OR%20'1'='1"),
    status: 200,
    check: nothingFound,
  },
  {
    name: 'a search of wildcards',
    send: get('/api/catalog/products?q=%25_%25_%25'),
    status: 200,
    check: nothingFound,
  },
  {
    name: 'a search of a backslash',
    send: get('/api/catalog/products?q=%5C'),
    status: 200,
    check: nothingFound,
  },

  {
    name: 'PUT where there is none',
    send: method('PUT', '/api/orders'),
    status: 405,
    check: allows('GET', 'HEAD', 'POST'),
  },
  {
    name: 'DELETE of a list',
    send: method('DELETE', '/api/catalog/products'),
    status: 405,
    check: allows('GET', 'HEAD', 'POST'),
  },
  {
    name: 'PATCH of an order',
    send: (world) => method('PATCH', `/api/orders/${world.foreignOrder}`)(world),
    status: 405,
    check: allows('DELETE', 'GET', 'HEAD'),
  },
  {
    name: 'POST to one’s account',
    send: method('POST', '/api/users/me'),
    status: 405,
    check: allows('DELETE', 'GET', 'HEAD', 'PATCH'),
  },
  { name: 'GET of a session', send: get('/api/users/sessions'), status: 405, check: allows('PATCH', 'POST') },
  {
    name: 'OPTIONS',
    send: method('OPTIONS', '/api/orders'),
    status: 405,
    check: allows('GET', 'HEAD', 'POST'),
  },
  { name: 'TRACE', send: method('TRACE', '/api/orders'), status: 405, check: allows('GET', 'HEAD', 'POST') },
  {
    name: 'PROPFIND',
    send: method('PROPFIND', '/api/orders'),
    status: 405,
    check: allows('GET', 'HEAD', 'POST'),
  },
  {
    name: 'POST to encoded letters',
    send: method('PUT', '/api/%6Frders'),
    status: 405,
    check: allows('GET', 'HEAD', 'POST'),
  },
  {
    name: 'POST to the placements',
    send: (world) => ({ method: 'POST', path: '/admin/placements', token: world.admin }),
    status: 405,
    check: allows('GET', 'HEAD'),
  },
  {
    name: 'POST to the health',
    send: method('POST', '/health/live'),
    status: 405,
    check: allows('GET', 'HEAD'),
  },

  {
    name: 'an internal token of a client',
    send: get('/api/orders', { 'x-internal-token': 'forged' }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'a name of a client',
    send: get('/api/orders', { 'x-served-by': 'evil' }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'a deadline of a client',
    send: get('/api/orders', { 'x-deadline-ms': '0.001' }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'an address of a client',
    send: get('/api/orders', {
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'evil.example',
      forwarded: 'for=127.0.0.1',
    }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'a host of a client',
    send: get('/api/orders', { host: 'orders-1.internal' }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'a method in a header',
    send: get('/api/orders', { 'x-http-method-override': 'DELETE' }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'a trace that is none',
    send: get('/api/orders', { traceparent: '00-zz', tracestate: 'a=b' }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'hop-by-hop headers',
    send: get('/api/orders', { 'keep-alive': 'timeout=5', te: 'trailers', 'proxy-connection': 'keep-alive' }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'the internal token named hop-by-hop',
    send: get('/api/orders', { connection: 'close, x-internal-token, traceparent' }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'the credentials named hop-by-hop',
    send: get('/api/orders', { connection: 'close, authorization' }),
    status: 200,
    check: ownOrders,
  },
  {
    name: 'an expectation nobody knows',
    send: get('/api/orders', { expect: 'a-miracle' }),
    status: 200,
    check: ownOrders,
  },

  {
    name: 'a body behind GET',
    send: (world) => ({
      path: '/api/orders',
      token: world.customer.token,
      headers: { 'content-type': 'application/json' },
      body: '{"limit":"x"}',
    }),
    status: 200,
    check: ownOrders,
  },
  { name: 'bytes that are no HTTP', send: raw(['\u0016\u0003\u0001\u0002']), status: 400 },
  { name: 'a method that is none', send: raw(['BREW /api/orders HTTP/1.1', 'Host: a']), status: 501 },
  { name: 'a method in small letters', send: raw(['get /api/orders HTTP/1.1', 'Host: a']), status: 501 },
  { name: 'a tunnel', send: raw(['CONNECT a:443 HTTP/1.1', 'Host: a']), status: 501 },
  { name: 'a query of a path that is none', send: method('QUERY', '/api/orders/a/b/c'), status: 501 },
  { name: 'a purge of a path that is none', send: method('PURGE', '/nowhere'), status: 501 },
  {
    name: 'a method that is elsewhere, with a body that nobody reads',
    send: raw(
      ['PUT /api/orders HTTP/1.1', 'Host: a', 'Content-Type: text/odd', 'Content-Length: 9999999'],
      'x',
    ),
    status: 405,
  },
  {
    name: 'a request without a host',
    send: raw(['GET /api/orders HTTP/1.1', 'Connection: close']),
    status: 400,
  },
  {
    name: 'a header with a line break',
    send: raw(['GET /api/orders HTTP/1.1', 'Host: a', 'X: a\rb']),
    status: 400,
  },
  {
    name: 'a header with NUL',
    send: raw(['GET /api/orders HTTP/1.1', 'Host: a', 'X: a\u0000b']),
    status: 400,
  },
  {
    name: 'headers of 20 kB',
    send: raw(['GET /api/orders HTTP/1.1', 'Host: a', `X: ${'a'.repeat(20_000)}`]),
    status: 431,
  },
  {
    name: 'two lengths',
    send: raw(['POST /api/users HTTP/1.1', 'Host: a', 'Content-Length: 2', 'Content-Length: 5'], '{}'),
    status: 400,
  },
  {
    name: 'a length and chunks',
    send: raw(
      ['POST /api/users HTTP/1.1', 'Host: a', 'Content-Length: 2', 'Transfer-Encoding: chunked'],
      '0\r\n\r\n',
    ),
    status: 400,
  },
  {
    name: 'a length that is none',
    send: raw(['POST /api/users HTTP/1.1', 'Host: a', 'Content-Length: -1'], '{}'),
    status: 400,
  },
  {
    name: 'a chunk that is none',
    send: raw(
      ['POST /api/users HTTP/1.1', 'Host: a', 'Content-Type: application/json', 'Transfer-Encoding: chunked'],
      'zz\r\n',
    ),
    status: 400,
  },
  {
    name: 'an address in the place of a path',
    send: raw(['GET http://evil.example/api/orders HTTP/1.1', 'Host: a', 'Connection: close']),
    status: 401,
  },
  ...['http://evil.example', 'HTTPS://evil.example:443', 'http://[::1]:80'].map(
    (address): Case => ({
      name: `the whole address ${address}`,
      send: raw([`GET ${address}/api/catalog/products?limit=1 HTTP/1.1`, 'Host: a', 'Connection: close']),
      status: 200,
      check: ({ body }) => expect(body.items).toHaveLength(1),
    }),
  ),
  ...[
    'http://user@evil.example/api/orders',
    'http:///api/orders',
    'ftp://evil.example/api/orders',
    'http://evil.example/api/orders#top',
    '*admin/placements',
    '/api/orders#',
    '/api/orders?a#b',
    '*',
  ].map(
    (target): Case => ({
      name: `the target ${target}`,
      send: raw([`GET ${target} HTTP/1.1`, 'Host: a']),
      status: 400,
    }),
  ),
  {
    name: 'a fragment behind an upload whose body never comes',
    send: raw(['POST /api/media# HTTP/1.1', 'Host: a', 'Content-Length: 200000'], 'x'),
    status: 400,
  },
  ...['/health/live', '/asyncapi.json', '/openapi.json', '/.well-known/jwks.json', '/docs', '/docs/json'].map(
    (path): Case => ({
      name: `${path} with the token of a deleted user`,
      send: ({ gone }) => ({ path, token: gone.token }),
      status: 200,
    }),
  ),
  ...[15_900, 16_000, 16_100, 16_150, 16_200, 16_250, 16_300, 16_383, 16_384].map((bytes): Case => {
    // Node counts the path, the names and the values.
    const path = '/api/catalog/products?limit=1';
    const fill = 'a'.repeat(bytes - `${path}HostaX`.length);
    return {
      name: `${bytes} bytes of headers`,
      send: raw([`GET ${path} HTTP/1.1`, 'Host: a', `X: ${fill}`]),
      status: bytes < 16_384 ? 200 : 431,
    };
  }),
  { name: 'two hosts', send: raw(['GET /api/orders HTTP/1.1', 'Host: a', 'Host: b']), status: 400 },
  { name: 'a host with a path', send: raw(['GET /api/orders HTTP/1.1', 'Host: a/b']), status: 400 },
  {
    name: 'headers without end',
    send: raw(['GET /api/orders HTTP/1.1', 'Host: a', ...Array.from({ length: 2_000 }, () => 'a:')]),
    status: 431,
  },
  {
    name: 'a star in the place of a path',
    send: raw(['OPTIONS * HTTP/1.1', 'Host: a', 'Connection: close']),
    status: 204,
    check: allows('DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'),
  },
];

function allows(...methods: string[]): (got: Got) => void {
  return (got) => expect(got.headers.allow!.split(', ').sort()).toEqual(methods);
}
