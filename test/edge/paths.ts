// Request lines that two readers could take for different things, made from every operation's path by a seed: letters
// encoded once and twice, segments that lead elsewhere, signs with a meaning to some servers, other forms, other
// methods. The same seed makes the same lines.
import { createRandom, type Random } from '../chaos/random.ts';
import { type Aim, request, type Variant } from './variant.ts';

type Change = (path: string, random: Random) => string;

const hex = (char: string) =>
  [...Buffer.from(char, 'latin1')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

const at = (path: string, random: Random, change: (char: string) => string): string => {
  const place = random.below(path.length);
  return path.slice(0, place) + change(path[place]!) + path.slice(place + 1);
};
const insert = (path: string, random: Random, some: readonly string[]): string => {
  const place = 1 + random.below(path.length);
  return path.slice(0, place) + random.pick(some) + path.slice(place);
};
const between = (path: string, random: Random, some: readonly string[]): string => {
  const parts = path.split('/');
  parts.splice(1 + random.below(parts.length), 0, random.pick(some));
  return parts.join('/');
};

const dots = [
  '.',
  '..',
  '%2e',
  '%2E%2e',
  '.%2e',
  '%252e%252e',
  '...',
  '..;',
  '..%00',
  '%c0%ae%c0%ae',
  '..%5c',
  '..x',
];
const signs = [
  ';',
  ';a=b',
  '\\',
  '%5c',
  '%2f',
  '%252f',
  '%00',
  '%0d%0a',
  '%09',
  '\t',
  ',',
  '~',
  '$',
  '!',
  '@',
  ':',
  "'",
  '"',
  '<',
  '{}',
  '|',
  '^',
  '`',
  '[',
  '%',
  '%zz',
  '%u0041',
  '%7f',
  '\x7f',
  '+',
  '=',
  '&',
  '*',
  '%23',
  '%3f',
];
const letters = [
  'é',
  '\xc3\xa9',
  '%c3%a9',
  '%C3%A9',
  '%e9',
  '%ff',
  '%f0%9f%8c%b3',
  '%c0%af',
  '%e0%80%af',
  '\xef\xbc\x8f',
  '%ef%bc%8f',
  '%e2%80%ae',
];
const queries = [
  '?',
  '??',
  '?a',
  '?a=1&a=2',
  '?limit=1',
  '?limit=',
  '?limit=1&limit=2',
  '?limit[]=1',
  '?__proto__=1',
  '?%00=1',
  '?limit=%31',
  '?limit=+1',
  '?a=b?c',
  '?a=/../',
  '?q=%zz',
  '?q=%',
  '?q=é',
  '?q=a%20b',
  '?q=a+b',
  '?q=%26',
  '?;limit=1',
  '?&&',
  '?=',
  '?limit=1;q=a',
  '?constructor=1',
  '?q={"a":1}',
  "?q='--",
  '?q=<b>|^`',
];

const changes: readonly Change[] = [
  (path, random) => at(path, random, hex),
  (path, random) => at(path, random, (char) => hex(char).toUpperCase()),
  (path, random) => at(path, random, (char) => hex(char).replace('%', '%25')),
  (path, random) =>
    at(path, random, (char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase())),
  (path, random) => at(path, random, () => ''),
  (path, random) =>
    [...path].map((char) => (random.below(3) === 0 && char !== '/' ? hex(char) : char)).join(''),
  (path, random) => between(path, random, dots),
  (path, random) => between(path, random, ['', '', ';', 'x', '%20', 'api']),
  (path, random) => insert(path, random, signs),
  (path, random) => insert(path, random, letters),
  (path, random) => insert(path, random, dots),
  (path, random) =>
    path + random.pick(['/', '//', '/.', '/..', '/%2e', '/x', '/x/y', '%2f', ';', '.json', '.', '%20', '/*']),
  (path, random) => path + random.pick(queries),
  (path, random) => insert(path, random, ['#', '#a', '?#', '%23', '#?']),
  (path, random) => path.repeat(1 + random.below(2)),
  (path, random) => path + '/a'.repeat(random.below(200)),
  (path, random) => insert(path, random, ['a'.repeat(random.below(9_000))]),
  (path) => path,
];

const forms: readonly Change[] = [
  (path) => `http://edge${path}`,
  (path) => `HTTP://Edge:80${path}`,
  (path) => `https://edge${path}`,
  (path) => `http://user@edge${path}`,
  (path) => `http://[::1]:80${path}`,
  (path) => `http:${path}`,
  (path) => `http:/${path}`,
  (path) => `ftp://edge${path}`,
  (path) => `//edge${path}`,
  (path) => `*${path.slice(1)}`,
  (path) => path.slice(1),
  (path) => `edge:80${path}`,
  (path) => `?${path}`,
  (path) => `%2f${path.slice(1)}`,
  () => '*',
  () => 'http://edge',
  () => 'http://edge?limit=1',
];

const methods = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
  'PURGE',
  'PROPFIND',
  'TRACE',
  'CONNECT',
  'BREW',
  'get',
  'Get',
  'LINK',
  'M-SEARCH',
  'SOURCE',
];

/** So many variants, on all operations alike. */
export function paths(all: readonly Aim[], seed: number, count: number, token: string): Variant[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const aim = all[index % all.length]!;
    let target = aim.path;
    for (let times = 1 + random.below(3); times > 0; times -= 1)
      target = random.pick(changes)(target, random);
    if (random.below(8) === 0) target = random.pick(forms)(target, random);
    const method = random.below(3) === 0 ? random.pick(methods) : aim.method;
    const headers = random.below(2) === 0 ? [`Authorization: Bearer ${token}`] : [];
    const body = method === 'POST' || method === 'PUT' || method === 'PATCH' ? '{}' : '';
    if (body) headers.push('Content-Type: application/json', `Content-Length: ${body.length}`);
    const bytes = request(method, target, headers, body);
    return { name: `${method} ${target}`, parts: [bytes], head: method === 'HEAD' };
  });
}
