// The console's door on a public port: who comes in, as whom, and what a stranger, another site or an old cookie gets.
import Fastify, { type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { firstOperator, type Operator, type Principal } from '../context/principal.ts';
import { libraryProblem } from '../contract/problem.ts';
import { mountConsole, withoutSession } from '../gateway/console.ts';
import { authenticateRequests, type VerifyBearer } from '../http/authenticate.ts';
import { jsonBodies } from '../http/body.ts';
import { answerWithProblems } from '../http/problems.ts';
import { traceRequests } from '../http/traced.ts';
import { hashOfToken, makeOperatorToken } from '../identity/operator-token.ts';
import { networksOf } from '../limits/networks.ts';
import type { SecurityEvent } from '../telemetry/security-log.ts';
import { openConsole } from './door.ts';
import type { ConsoleParts } from './parts.ts';

const ADMIN = 'the-admin-token-of-this-instance';
const own = { 'x-banyan-console': '1', 'sec-fetch-site': 'same-origin' };
const ada: Operator = { kind: 'operator', name: 'ada', scopes: ['read'] };

let app: FastifyInstance;
let adas: string;
let operators: unknown[];
let adminToken: string;
let written: SecurityEvent[];
let wrong: number;
let opened: number;
let closing: AbortController;

beforeEach(async () => {
  adas = makeOperatorToken();
  operators = [{ ...ada, hash: hashOfToken(adas) }];
  adminToken = ADMIN;
  [written, wrong, opened, closing] = [[], 0, 0, new AbortController()];
  app = await publicPort();
});
afterEach(async () => {
  closing.abort();
  await app.close();
});

const verifyBearer: VerifyBearer = (token) => {
  if (token === adminToken) return firstOperator;
  if (token === adas && operators.length > 0) return ada;
  if (token === 'of-a-session') return { kind: 'user' } as Principal;
  wrong += 1;
  throw libraryProblem(wrong > 3 ? 'too-many-requests' : 'unauthenticated');
};

/** A public port with one operation under /admin, which says who asks. */
async function publicPort(): Promise<FastifyInstance> {
  const made = Fastify({ forceCloseConnections: true });
  jsonBodies(made);
  traceRequests(made);
  answerWithProblems(made);
  mountConsole(made, {
    prefix: '/console',
    open: (answer) => {
      opened += 1;
      return openConsole(partsWith(answer));
    },
  });
  await made.register(async (scope) => {
    authenticateRequests(scope, verifyBearer);
    scope.route({
      method: ['GET', 'PUT'],
      url: '/admin/who',
      handler: async ({ principal, headers, body }) => ({
        principal,
        changedBy: headers['x-changed-by'],
        cookie: headers.cookie,
        body,
      }),
    });
  });
  await made.ready();
  return made;
}

function partsWith(answer: ConsoleParts['answer']): ConsoleParts {
  return {
    product: { title: '</script><b>Product</b>', version: '1' },
    prefix: '/console',
    host: null,
    contracts: [],
    own: [],
    local: new Map(),
    placements: {
      get current() {
        return { modules: {}, operators };
      },
    },
    log: pino({ level: 'silent' }),
    security: { write: (event: SecurityEvent) => void written.push(event) },
    verifyBearer,
    adminToken,
    rootKey: 'a root key of thirty-two characters',
    proxies: networksOf(['127.0.0.1']),
    closing: closing.signal,
    answer,
  } as unknown as ConsoleParts;
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: unknown;
}

const ask = (method: string, url: string, { headers = {}, payload }: Asked = {}) =>
  app.inject({
    method: method as 'GET',
    url,
    headers: { host: 'shop.example', ...headers },
    ...(payload === undefined ? {} : { payload: payload as object }),
  });

const signIn = (payload: unknown, headers: Readonly<Record<string, string>> = own) =>
  ask('POST', '/console/api/session', { headers, payload });

/** The cookie of somebody who signed in, as a browser sends it. */
async function cookieFor(token: string, name = 'Grace Hopper'): Promise<string> {
  const answer = await signIn({ name, token });
  expect(answer.statusCode).toBe(201);
  return String(answer.headers['set-cookie']).split(';')[0]!;
}

const island = (html: string) => JSON.parse(/id="system">([^<]*)</.exec(html)![1]!);

test('nothing of it is opened before somebody asks', async () => {
  expect((await ask('GET', '/admin/who')).statusCode).toBe(200);
  expect(opened).toBe(0);
  await Promise.all([ask('GET', '/console'), ask('GET', '/console/dead?module=x')]);
  expect(opened).toBe(1);
});

test('the page says who is signed in, under a policy of its own, and no name ends its data', async () => {
  const { body, headers } = await ask('GET', '/console/any/view');
  expect(island(body)).toMatchObject({ product: '</script><b>Product</b>', operator: null, modules: [] });
  expect(body).not.toContain('<b>Product');
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self' 'sha256-/);
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  const cookie = await cookieFor(ADMIN);
  const signed = await ask('GET', '/console', { headers: { cookie } });
  expect(island(signed.body).operator).toMatchObject({ name: 'Grace Hopper', as: 'operator' });
  expect(signed.body).not.toContain(ADMIN);
});

test('files come compressed, are kept by what they are, and no path leads to others', async () => {
  const file = '/console/assets/page/kit/api.ts';
  const plain = await ask('GET', file);
  expect(plain.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'no-cache',
  });
  expect(plain.body).not.toContain('Promise<T>');
  const br = await ask('GET', file, { headers: { 'accept-encoding': 'gzip, deflate, br' } });
  expect(br.headers['content-encoding']).toBe('br');
  const none = await ask('GET', file, { headers: { 'accept-encoding': 'br;q=0, gzip;q=0' } });
  expect(none.headers['content-encoding']).toBeUndefined();
  const again = await ask('GET', file, { headers: { 'if-none-match': String(plain.headers.etag) } });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  const vendor = /"preact":"([^"]+)"/.exec((await ask('GET', '/console')).body)![1]!;
  expect((await ask('GET', vendor)).headers['cache-control']).toContain('immutable');
  for (const path of [
    'page/../session.ts',
    'session.ts',
    'page/kit',
    'page/tsconfig.json',
    'shared/delta.test.ts',
  ])
    expect((await ask('GET', `/console/assets/${path}`)).statusCode, path).toBe(404);
});

test('what is signed in does what the token may, by the name that was given', async () => {
  const cookie = await cookieFor(adas);
  const answer = await ask('PUT', '/console/api/admin/who?x=1', {
    headers: { ...own, cookie, 'x-changed-by': 'somebody else', authorization: `Bearer ${ADMIN}` },
    payload: { to: 'service' },
  });
  expect(answer.json()).toEqual({ principal: ada, changedBy: 'Grace Hopper', body: { to: 'service' } });
  expect(written).toEqual([
    expect.objectContaining({ event: 'console.signin', outcome: 'ok', claimed: 'Grace Hopper' }),
  ]);
  expect(JSON.stringify(written)).not.toContain(adas);
});

test('the cookie counts at the console alone', async () => {
  const cookie = await cookieFor(ADMIN);
  const answer = await ask('GET', '/admin/who', { headers: { cookie } });
  expect(answer.json().principal).toEqual({ kind: 'anonymous' });
});

test.each([
  ['without the header of the page', { 'sec-fetch-site': 'same-origin' }],
  ['from another site', { ...own, 'sec-fetch-site': 'cross-site' }],
  ['from a neighbour', { ...own, 'sec-fetch-site': 'same-site' }],
  ['from nowhere that is said', { 'x-banyan-console': '1' }],
  ['of another origin', { 'x-banyan-console': '1', origin: 'https://evil.example' }],
  ['of an origin that is none', { 'x-banyan-console': '1', origin: 'null' }],
])('a change %s is refused, also to sign in', async (_how, headers) => {
  const cookie = await cookieFor(ADMIN);
  const change = await ask('PUT', '/console/api/admin/who', { headers: { ...headers, cookie }, payload: {} });
  expect(change.statusCode).toBe(403);
  expect((await signIn({ name: 'ada', token: ADMIN }, headers)).statusCode).toBe(403);
  expect((await ask('DELETE', '/console/api/session', { headers: { ...headers, cookie } })).statusCode).toBe(
    403,
  );
});

test('an older browser says its origin alone', async () => {
  const headers = { 'x-banyan-console': '1', origin: 'http://shop.example' };
  expect((await signIn({ name: 'ada', token: ADMIN }, headers)).statusCode).toBe(201);
});

test.each([
  ['no body', undefined],
  ['no token', { name: 'ada' }],
  ['no name', { token: ADMIN }],
  ['a name of spaces', { name: '   ', token: ADMIN }],
  ['a name of two lines', { name: 'a\nb', token: ADMIN }],
  ['a name with a tag', { name: '<b>', token: ADMIN }],
  ['a name that fits no header', { name: 'Łukasz', token: ADMIN }],
  ['a name as long as a page', { name: 'a'.repeat(61), token: ADMIN }],
  ['something more', { name: 'ada', token: ADMIN, scopes: ['place'] }],
])('signing in with %s is refused in words', async (_what, payload) => {
  const { statusCode, body, headers } = await signIn(payload);
  expect(statusCode).toBe(422);
  expect(headers['set-cookie']).toBeUndefined();
  expect(body).not.toContain(ADMIN);
});

test('wrong tokens are counted, written down, and slowed down', async () => {
  const answers: number[] = [];
  for (let guess = 0; guess < 5; guess += 1)
    answers.push((await signIn({ name: 'ada', token: `guess-${guess}` })).statusCode);
  expect(answers).toEqual([401, 401, 401, 429, 429]);
  expect(written.map(({ event, outcome }) => `${event} ${outcome}`)).toEqual([
    ...Array.from({ length: 3 }, () => 'token.bearer refused'),
    ...Array.from({ length: 2 }, () => 'token.bearer limited'),
  ]);
  expect(JSON.stringify(written)).not.toContain('guess-');
  expect((await signIn({ name: 'ada', token: ADMIN })).statusCode).toBe(201);
});

test('a token of the product’s own session is told to be one', async () => {
  const answer = await signIn({ name: 'ada', token: 'of-a-session' });
  expect([answer.statusCode, answer.json().detail]).toEqual([
    401,
    expect.stringMatching(/session of the product/),
  ]);
});

test('who is revoked is out with the next request, and so is a token that was replaced', async () => {
  const cookie = await cookieFor(adas);
  const look = () => ask('GET', '/console/api/admin/who', { headers: { cookie } });
  expect((await look()).statusCode).toBe(200);
  operators = [];
  expect((await look()).statusCode).toBe(401);
  expect((await ask('GET', '/console/api/live', { headers: { cookie } })).statusCode).toBe(401);
  expect(island((await ask('GET', '/console', { headers: { cookie } })).body).operator).toBeNull();
  // No guess: nobody is slowed down for an old cookie.
  expect(wrong).toBe(0);

  const first = await cookieFor(ADMIN);
  adminToken = 'another-admin-token-of-this-instance';
  await app.close();
  app = await publicPort();
  expect((await ask('GET', '/console/api/admin/who', { headers: { cookie: first } })).statusCode).toBe(401);
});

test('a cookie that was changed, or is another product’s, is nobody’s', async () => {
  const cookie = await cookieFor(ADMIN);
  for (const one of [
    `${cookie.slice(0, -4)}AAAA`,
    'banyan_console=x',
    'banyan_console=',
    cookie.replace('_console', '_other'),
  ])
    expect((await ask('GET', '/console/api/picture', { headers: { cookie: one } })).statusCode, one).toBe(
      401,
    );
  expect(
    (await ask('GET', '/console/api/picture', { headers: { cookie: `a=b; ${cookie}; c` } })).statusCode,
  ).toBe(200);
});

test('under TLS the cookie is for this host alone; on plain HTTP for the console alone, and each port has its own', async () => {
  const secure = await signIn({ name: 'ada', token: ADMIN }, { ...own, 'x-forwarded-proto': 'https' });
  expect(secure.headers['set-cookie']).toMatch(
    /^__Host-banyan_console=[\w.-]+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Strict; Secure$/,
  );
  const plain = await signIn({ name: 'ada', token: ADMIN }, { ...own, host: '127.0.0.1:3000' });
  expect(plain.headers['set-cookie']).toMatch(
    /^banyan_console_3000=[\w.-]+; Path=\/console; Max-Age=28800; HttpOnly; SameSite=Strict$/,
  );
});

test('a service hears of the other cookies alone', () => {
  expect(withoutSession('a=b; banyan_console_3000=x; c=d')).toBe('a=b; c=d');
  expect(withoutSession('__Host-banyan_console=x')).toBeUndefined();
  expect(withoutSession('a=b')).toBe('a=b');
});

test('signing out has the browser forget, and is written down', async () => {
  const cookie = await cookieFor(ADMIN);
  const answer = await ask('DELETE', '/console/api/session', { headers: { ...own, cookie } });
  expect(answer.statusCode).toBe(204);
  expect(answer.headers['set-cookie']).toContain('Max-Age=0');
  expect(written.at(-1)).toMatchObject({ event: 'console.signout', claimed: 'Grace Hopper' });
});

test('what is not there is not a page', async () => {
  const cookie = await cookieFor(ADMIN);
  const answer = await ask('GET', '/console/api/nothing', { headers: { cookie } });
  expect(answer.statusCode).toBe(404);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect((await ask('GET', '/console/api/nothing')).statusCode).toBe(401);
});
