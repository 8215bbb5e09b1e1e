// Headers and framing that proxies and servers have read differently, at one operation: lengths that contradict each
// other, chunks that are none, fields twice, offers, expectations, sizes around the limits. Most were somebody's bug.
import { type Aim, request, type Variant } from './variant.ts';

const JSON_TYPE = 'Content-Type: application/json';
const chunked = 'Transfer-Encoding: chunked';

type Trick = readonly [name: string, parts: (aim: Aim) => string | readonly string[]];

const withHeaders =
  (...headers: string[]) =>
  ({ method, path }: Aim): string =>
    request(method, path, headers);
/** A body behind headers of one's own. */
const withBody =
  (headers: readonly string[], body: string) =>
  ({ method, path }: Aim): string =>
    request(method, path, headers, body);
const post =
  (headers: readonly string[], body: string) =>
  ({ path }: Aim): string =>
    request('POST', path, [JSON_TYPE, ...headers], body);
const field = (bytes: number) => `X-Fill: ${'a'.repeat(bytes)}`;
const follower = 'GET /.well-known/jwks.json HTTP/1.1\r\nHost: edge\r\n\r\n';
const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAEAAEAA'];
const webSocket = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

const tricks: readonly Trick[] = [
  ['two lengths', post(['Content-Length: 2', 'Content-Length: 3'], '{}')],
  ['the same length twice', post(['Content-Length: 2', 'Content-Length: 2'], '{}')],
  ['a list of lengths', post(['Content-Length: 2, 2'], '{}')],
  ['a length and chunks', post(['Content-Length: 2', chunked], '0\r\n\r\n')],
  ['chunks and a length', post([chunked, 'Content-Length: 2'], '0\r\n\r\n')],
  ['a length with a sign', post(['Content-Length: +2'], '{}')],
  ['a length in hexadecimal', post(['Content-Length: 0x2'], '{}')],
  ['a length of 30 digits', post([`Content-Length: ${'9'.repeat(30)}`], '{}')],
  ['an empty length', post(['Content-Length: '], '{}')],
  ['chunked twice', post([chunked, chunked], '0\r\n\r\n')],
  ['chunked, identity', post(['Transfer-Encoding: chunked, identity'], '0\r\n\r\n')],
  ['gzip, chunked', post(['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n')],
  ['identity', post(['Transfer-Encoding: identity', 'Content-Length: 2'], '{}')],
  ['xchunked', post(['Transfer-Encoding: xchunked'], '0\r\n\r\n')],
  ['chunked with a tab', post(['Transfer-Encoding:\tchunked'], '2\r\n{}\r\n0\r\n\r\n')],
  ['a space before the colon', post(['Transfer-Encoding : chunked'], '0\r\n\r\n')],
  ['a folded field', withHeaders('X-Fold: a\r\n b')],
  ['a bare line feed', ({ method, path }) => `${method} ${path} HTTP/1.1\nHost: edge\n\n`],
  ['a bare carriage return', withHeaders('X: a\rb')],
  ['a NUL in a field', withHeaders('X: a\0b')],
  ['a field without a name', withHeaders(': a')],
  ['a field without a colon', withHeaders('nothing')],
  ['bytes above 127', withHeaders('X: \xe9\xff')],
  ['chunks', post([chunked], '2\r\n{}\r\n0\r\n\r\n')],
  ['an extension of a chunk', post([chunked], '2;a=b\r\n{}\r\n0\r\n\r\n')],
  ['a long extension of a chunk', post([chunked], `2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`)],
  ['a chunk of 20 digits', post([chunked], 'fffffffffffffffffff\r\n{}\r\n')],
  ['a chunk below 0', post([chunked], '-2\r\n{}\r\n0\r\n\r\n')],
  ['a chunk that is longer', post([chunked], '2\r\n{}x\r\n0\r\n\r\n')],
  ['trailers', post([chunked, 'Trailer: X-Last'], '2\r\n{}\r\n0\r\nX-Last: 1\r\n\r\n')],
  ['a length among the trailers', post([chunked], '2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n')],
  ['a follower behind a body', post(['Content-Length: 2'], `{}${follower}`)],
  ['a follower behind chunks', post([chunked], `0\r\n\r\n${follower}`)],
  ['a body cut in two', ({ path }) => [request('POST', path, [JSON_TYPE, 'Content-Length: 2'], '{'), '}']],
  ['a head cut in two', ({ method, path }) => [`${method} ${path} HT`, 'TP/1.1\r\nHost: edge\r\n\r\n']],
  ['a body behind any method', withBody(['Content-Length: 2', JSON_TYPE], '{}')],
  ['a body behind HEAD', ({ path }) => request('HEAD', path, ['Content-Length: 2'], '{}')],
  ['a body behind PURGE', ({ path }) => request('PURGE', path, ['Content-Length: 2'], '{}')],
  ['a body behind QUERY', ({ path }) => request('QUERY', path, ['Content-Length: 2'], '{}')],
  ['a body of no type', ({ path }) => request('POST', path, ['Content-Length: 2'], '{}')],
  ['a body that is no JSON', post(['Content-Length: 1'], '{')],
  ['no body where one belongs', ({ path }) => request('POST', path, [JSON_TYPE])],
  ['a length of 0', post(['Content-Length: 0'], '')],
  ...[
    '',
    'x',
    'text/plain',
    'application/json; charset=latin1',
    'APPLICATION/JSON',
    'application/json;',
    'multipart/form-data',
    'application/xml',
    'a/b; c="',
  ].map(
    (type): Trick => [
      `the type "${type}"`,
      ({ path }) => request('POST', path, [`Content-Type: ${type}`, 'Content-Length: 2'], '{}'),
    ],
  ),
  ['two types', post(['Content-Type: text/plain', 'Content-Length: 2'], '{}')],
  ['a coded body', post(['Content-Encoding: gzip', 'Content-Length: 2'], '{}')],
  ['an expectation', post(['Expect: 100-continue', 'Content-Length: 2'], '{}')],
  ['an unknown expectation', withHeaders('Expect: a-miracle')],
  ['a range', withHeaders('Range: bytes=0-1')],
  ['many ranges', withHeaders(`Range: bytes=${'0-1,'.repeat(500)}0-1`)],
  [
    'conditions',
    withHeaders('If-None-Match: *', 'If-Match: "x"', 'If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT'),
  ],
  ['nothing acceptable', withHeaders('Accept: image/x-none', 'Accept-Encoding: identity;q=0, *;q=0')],
  ['a Host twice', withHeaders('Host: other')],
  ['a Host with a path', ({ method, path }) => `${method} ${path} HTTP/1.1\r\nHost: a/b\r\n\r\n`],
  ['a Host with a user', ({ method, path }) => `${method} ${path} HTTP/1.1\r\nHost: a@b\r\n\r\n`],
  ['an empty Host', ({ method, path }) => `${method} ${path} HTTP/1.1\r\nHost:\r\n\r\n`],
  ['no Host', ({ method, path }) => `${method} ${path} HTTP/1.1\r\n\r\n`],
  ['HTTP/1.0', ({ method, path }) => request(method, path, [], '', 'HTTP/1.0')],
  [
    'HTTP/1.0 that stays',
    ({ method, path }) => request(method, path, ['Connection: keep-alive'], '', 'HTTP/1.0'),
  ],
  [
    'HTTP/1.0 with chunks',
    ({ path }) => request('POST', path, [JSON_TYPE, chunked], '0\r\n\r\n', 'HTTP/1.0'),
  ],
  ...['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1.1', 'HTTP/1'].map(
    (version): Trick => [
      `the version ${version}`,
      ({ method, path }) => request(method, path, ['Host: edge'], '', version),
    ],
  ),
  ['no version', ({ method, path }) => `${method} ${path}\r\n\r\n`],
  ['a space too many', ({ method, path }) => `${method}  ${path} HTTP/1.1\r\nHost: edge\r\n\r\n`],
  ['an empty line first', (aim) => `\r\n${request(aim.method, aim.path)}`],
  ['Connection: close', withHeaders('Connection: close')],
  ['Connection: CLOSE, x', withHeaders('Connection: x, CLOSE')],
  ['Connection twice', withHeaders('Connection: keep-alive', 'Connection: close')],
  ['named fields', withHeaders('Connection: x-a, traceparent, content-length', 'X-A: 1')],
  [
    'fields of proxies',
    withHeaders(
      'Proxy-Authorization: Basic eA==',
      'Proxy-Connection: close',
      'TE: trailers',
      'Keep-Alive: timeout=1',
      'Via: 1.1 a',
      'Forwarded: for=1',
    ),
  ],
  [
    'fields of hosts',
    withHeaders(
      'X-Internal-Token: a',
      'X-Deadline-Ms: 0.1',
      'X-Forwarded-For: 1.1.1.1',
      'X-Served-By: a',
      'X-Caller: a',
    ),
  ],
  ['an offer', withHeaders('Connection: Upgrade', 'Upgrade: foo')],
  ['an offer of h2c', withHeaders(...h2c)],
  ['an offer of h2c with a body', post([...h2c, 'Content-Length: 2'], '{}')],
  ['an offer of h2c with chunks', post([...h2c, chunked], '2\r\n{}\r\n0\r\n\r\n')],
  ['a WebSocket', ({ path }) => request('GET', path, webSocket)],
  ['a WebSocket by POST', ({ path }) => request('POST', path, [...webSocket, 'Content-Length: 0'])],
  ['Upgrade alone', withHeaders('Upgrade: websocket')],
  ['garbage credentials', withHeaders('Authorization: Bearer garbage')],
  ['credentials twice', withHeaders('Authorization: Bearer a', 'Authorization: Bearer b')],
  ['Basic credentials', withHeaders('Authorization: Basic eA==')],
  ...[15_800, 15_900, 16_000, 16_100, 16_150, 16_200, 16_250, 16_300, 16_400, 20_000].map(
    (bytes): Trick => [`${bytes} bytes of headers`, withHeaders(field(bytes))],
  ),
  ...[100, 1_000, 1_900, 1_990, 1_995, 1_999, 2_000, 2_500].map(
    (count): Trick => [
      `${count} headers`,
      withHeaders(...Array.from({ length: count }, (_, n) => `h${n.toString(36)}:`)),
    ],
  ),
  ...[8_000, 15_000, 16_500].map(
    (bytes): Trick => [`a path of ${bytes}`, ({ path }) => request('GET', `${path}/${'<'.repeat(bytes)}`)],
  ),
  ...[8_000, 15_000, 16_500].map(
    (bytes): Trick => [`a query of ${bytes}`, ({ path }) => request('GET', `${path}?q=${'"'.repeat(bytes)}`)],
  ),
  ['three at once', ({ path }) => request('GET', path).repeat(3)],
  ['two, the second unreadable', ({ path }) => [request('GET', path), 'BREW\r\n\r\n']],
  ['TLS', () => '\x16\x03\x01\x02\x00\x01'],
  ['HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a tunnel', () => 'CONNECT edge:443 HTTP/1.1\r\nHost: edge\r\n\r\n'],
];

export function headersAndFraming(all: readonly Aim[]): Variant[] {
  return all.flatMap((aim) =>
    tricks.map(([name, make]) => {
      const made = make(aim);
      const parts = typeof made === 'string' ? [made] : made;
      return { name: `${name}: ${aim.method} ${aim.path}`, parts, head: parts[0]!.startsWith('HEAD ') };
    }),
  );
}
