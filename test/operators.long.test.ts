// Operators as people and scripts meet them: a scope is exactly what it says, in one process and with a module extracted;
// a token ends within a second; what was done stands under the name that was proven; and the security log has all of it
// without a secret.
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scopes } from '../src/banyan/context/scopes.ts';
import { banyanWith } from './operators-cli.ts';
import { type Answer, clientOf, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';

interface Operation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly needed: readonly string[];
}

const upgrade = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

let shop: Shop;
/** By scope, the token of an operator who has this one alone. */
const tokens: Record<string, string> = {};
const secrets: string[] = [];

beforeAll(async () => {
  shop = clientOf(await startShop());
  for (const scope of scopes) tokens[scope] = await add(`has-${scope}`, [scope]);
});
afterAll(() => shop?.started.stop());

async function add(name: string, granted: readonly string[], token = shop.adminToken): Promise<string> {
  const added = await shop.call('POST', '/admin/operators', { token, body: { name, scopes: granted } });
  expect(added.status, JSON.stringify(added.body)).toBe(201);
  expect(added.body).toEqual({ name, scopes: granted, token: expect.stringMatching(/^bop_[\w-]{43}$/) });
  secrets.push(added.body.token);
  return added.body.token;
}

/** Every operation that operators are let do, as /openapi.json has it. */
async function operations(): Promise<Operation[]> {
  const { body } = await shop.call('GET', '/openapi.json');
  return Object.entries(body.paths as Record<string, Record<string, Record<string, unknown>>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).flatMap(([method, { operationId, security = [] }]) => {
        const needed = (security as { operator?: string[] }[]).flatMap(({ operator }) => operator ?? []);
        return needed.length === 0
          ? []
          : [{ operationId: operationId as string, method: method.toUpperCase(), path, needed }];
      }),
  );
}

/** Asks so that nothing can come of it: whoever is let in hears that the input is wrong. */
function ask({ method, path }: Operation, token: string): Promise<Answer> {
  const at = path.replaceAll(/\{\w+\}/g, '0192aaaa-0000-7000-8000-000000000000');
  const body = method === 'GET' || method === 'DELETE' ? undefined : { nothing: true };
  return shop.call(method, body ? at : `${at}?nothing=true`, { token, ...(body ? { body } : {}) });
}

async function everyScopeAtEveryOperation(): Promise<void> {
  const all = await operations();
  expect(all.filter(({ path }) => path.startsWith('/admin')).length).toBeGreaterThan(20);
  const wrong: string[] = [];
  for (const operation of all) {
    for (const scope of scopes) {
      const { status, body } = await ask(operation, tokens[scope]!);
      const may = operation.needed.includes(scope);
      if ((status === 403) === may || (may && ![200, 404, 409, 422].includes(status)))
        wrong.push(`${operation.operationId} by ${scope}: ${status} ${JSON.stringify(body)}`);
      if (!may) {
        expect(body.missingScope).toBe(operation.needed[0]);
        expect(body.detail).toMatch(
          /^This operation needs the scope .*, and has-\w+ has \w+\. .*npx banyan operators add/,
        );
      }
    }
    expect((await ask(operation, shop.adminToken)).status, operation.operationId).not.toBe(403);
  }
  expect(wrong).toEqual([]);
}

const lines = () =>
  files()
    .flatMap((path) => readFileSync(path, 'utf8').split('\n').filter(Boolean))
    .map((line) => JSON.parse(line));

/** Of the monolith and of its services. */
function files(): string[] {
  return readdirSync(shop.dataDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => /security\.jsonl/.test(name))
    .map((name) => join(shop.dataDir, name));
}

describe('a scope lets its holder do exactly its own', () => {
  test('in one process', everyScopeAtEveryOperation);

  test('and no scope is a session, nor a session a scope', async () => {
    const { token } = await shop.customer();
    expect((await shop.call('GET', '/api/users/me', { token: tokens.read! })).status).toBe(403);
    expect((await shop.call('GET', '/admin/placements', { token })).status).toBe(403);
    expect((await shop.call('GET', '/admin/placements')).status).toBe(401);
  });

  test('place alone is enough for the commands that move modules', async () => {
    const env = { BANYAN_URL: shop.url, BANYAN_TOKEN: tokens.place! };
    expect(await banyanWith(env, 'place', 'orders', 'in-process')).toMatchObject({ exit: 0 });
    expect(await banyanWith(env, 'extract', 'orders')).toMatchObject({ exit: 0 });
    expect(await banyanWith(env, 'status')).toMatchObject({ exit: 0 });
    const refused = await banyanWith(env, 'saga', 'style', 'orchestration');
    expect(refused.exit).toBe(1);
    expect(refused.err).toMatch(
      /needs the scope saga, and has-place has place[\s\S]*next {2}Set BANYAN_TOKEN/,
    );
  });

  test('with a module extracted, whose service was told no token', async () => {
    await shop.started.extract('orders');
    await everyScopeAtEveryOperation();
    const style = { style: 'choreography' };
    const asked = { token: tokens.saga!, body: style, headers: { 'x-changed-by': 'grace' } };
    const changed = await shop.call('PUT', '/admin/saga', asked);
    expect(changed.body).toMatchObject({ ...style, changedBy: 'has-saga (grace)' });
    // By ADMIN_TOKEN, of which the service has a hash alone.
    expect((await shop.call('GET', '/admin/saga', { token: shop.adminToken })).status).toBe(200);
    const [service] = (await shop.call('GET', '/admin/placements', { token: tokens.read! })).body.modules
      .filter(({ module }: { module: string }) => module === 'orders')
      .flatMap(({ instances }: { instances: { pid: number }[] }) => instances);
    if (existsSync('/proc/self/environ'))
      expect(readFileSync(`/proc/${service.pid}/environ`, 'utf8')).not.toContain(shop.adminToken);
  });
});

test('by the command line a token is made, listed and taken back: refused everywhere within a second', async () => {
  await shop.started.extract('orders');
  const env = { BANYAN_URL: shop.url, BANYAN_TOKEN: tokens.operators! };
  const made = await banyanWith(
    env,
    'operators',
    'add',
    'ada',
    '--scope',
    'saga',
    '--scope',
    'read',
    '--json',
  );
  const ada = JSON.parse(made.out);
  secrets.push(ada.token);
  expect(ada).toEqual({ name: 'ada', scopes: ['read', 'saga'], token: expect.any(String) });
  expect(await banyanWith(env, 'operators', 'add', 'ada', '--scope', 'read')).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/ada has a token.*operators revoke ada/),
  });
  expect((await banyanWith(env, 'operators', 'add', 'operator', '--scope', 'read')).err).toMatch(
    /ADMIN_TOKEN/,
  );
  expect((await banyanWith(env, 'operators', 'add', 'x', '--scope', 'all')).err).toMatch(/choices|Allowed/i);
  const paths = ['/admin/placements', '/admin/saga'];
  const statuses = () =>
    Promise.all(paths.map(async (path) => (await shop.call('GET', path, { token: ada.token })).status));
  expect(await statuses()).toEqual([200, 200]);

  const begun = performance.now();
  expect(await banyanWith(env, 'operators', 'revoke', 'ada')).toMatchObject({ exit: 0 });
  expect(await statuses()).toEqual([401, 401]);
  expect(performance.now() - begun).toBeLessThan(1_000);
  const { out } = await banyanWith(env, 'operators', 'list', '--json');
  const [listed] = JSON.parse(out).items.filter(({ name }: { name: string }) => name === 'ada');
  expect(listed).toMatchObject({
    revokedAt: expect.any(String),
    revokedBy: expect.stringMatching(/^has-operators \(.*banyan operators revoke/),
  });
  expect(out).not.toMatch(/hash|sha256|bop_/);
  // The name may be given again: another token, and the old one stays refused.
  const again = await add('ada', ['read'], tokens.operators!);
  expect((await shop.call('GET', '/admin/placements', { token: again })).status).toBe(200);
  expect((await shop.call('GET', '/admin/placements', { token: ada.token })).status).toBe(401);
});

test('a name stands in the history, and what somebody says of himself beside it', async () => {
  await shop.started.restore('orders');
  const move = (placement: string, token: string) =>
    shop.call('PUT', '/admin/placements/orders', {
      token,
      body: { placement },
      headers: { 'x-changed-by': 'the operator himself' },
    });
  expect((await move('in-process', tokens.place!)).status).toBe(200);
  await shop.started.extract('orders');
  const { body } = await move('in-process', tokens.place!);
  expect(body.changedBy).toBe('has-place (the operator himself)');
});

test('the security log has who did what, from where, in which trace, before and after', async () => {
  const placed = lines().filter(({ event }) => event === 'admin.admin.place');
  expect(placed.at(-1)).toMatchObject({
    outcome: 'ok',
    actor: { kind: 'operator', name: 'has-place' },
    address: '127.0.0.1',
    trace: expect.stringMatching(/^[0-9a-f]{32}$/),
    target: 'orders',
    claimed: 'the operator himself',
    before: { placement: 'service' },
    after: { placement: 'in-process' },
  });
  const of = (event: string, outcome: string) =>
    lines().filter((line) => line.event === event && line.outcome === outcome);
  expect(of('operation.refused', 'refused').length).toBeGreaterThan(5);
  expect(of('token.bearer', 'refused')[0]).toMatchObject({
    address: '127.0.0.1',
    target: expect.any(String),
  });
  expect(of('admin.operators.add', 'ok')[0]).toMatchObject({ after: { name: 'has-read', scopes: ['read'] } });
  expect(of('admin.operators.revoke', 'ok')[0]).toMatchObject({ before: { name: 'ada' } });
  // The style was set at the service, by whom the service knows.
  expect(of('admin.orders.setSagaStyle', 'ok')).toContainEqual(
    expect.objectContaining({ host: 'orders-1', actor: { kind: 'operator', name: 'has-saga' } }),
  );
});

test('hosts are in it, too: who registered, and who came with a token that is no host’s', async () => {
  await shop.started.extract('orders');
  const { body } = await shop.call('GET', '/admin/placements', { token: tokens.read! });
  const orders = body.modules.find(({ module }: { module: string }) => module === 'orders').instances[0];
  const nonsense = { authorization: `Bearer ${tokens.read}`, 'x-caller': 'monolith' };
  expect((await fetch(`${orders.url}/calls`, { headers: nonsense })).status).toBe(401);
  const { hostname: host, port } = new URL(orders.url);
  const handshake = request({ host, port, path: '/calls', headers: { ...upgrade, ...nonsense } }).end();
  const [{ statusCode }] = await once(handshake, 'response');
  expect(statusCode).toBe(401);
  const told = lines();
  expect(told).toContainEqual(
    expect.objectContaining({
      host: 'orders-1',
      event: 'token.internal',
      outcome: 'refused',
      target: 'GET /calls',
    }),
  );
  expect(told).toContainEqual(
    expect.objectContaining({
      host: 'monolith',
      event: 'service.register',
      outcome: 'ok',
      actor: { kind: 'service', name: 'orders' },
      target: 'orders-1',
      after: { url: expect.stringMatching(/^http:/) },
    }),
  );
});

test('no secret is in the security log, whatever was sent where', async () => {
  const { email, password, token } = await shop.customer();
  const product = await shop.product();
  await shop.order({ id: '', email, password, token }, [{ productId: product.id, quantity: 1 }], 'tok_ok');
  const read = tokens.read!;
  const sent: [string, string, Parameters<Shop['call']>[2]][] = [
    ['POST', '/api/users/sessions', { body: { email, password: `${password}!` } }],
    ['POST', '/api/users/sessions', { body: { email, password, unknown: password } }],
    ['GET', '/api/users/me', { token: `${token}x` }],
    ['GET', `/api/users/me?token=${token}`, { token }],
    ['GET', `/admin/placements?token=${read}`, { token: `${read}x` }],
    ['GET', `/admin/${read}`, { token: read }],
    ['GET', '/admin/placements', { token: `${shop.adminToken}x` }],
    ['GET', `/nope/${shop.adminToken}`, {}],
    ['PUT', `/admin/placements/${shop.adminToken}`, { token: read, body: { placement: 'service' } }],
    ['PUT', '/admin/saga', { token: read, body: { style: token }, headers: { 'x-changed-by': read } }],
    [
      'PUT',
      '/admin/placements/nothing',
      {
        token: tokens.place!,
        body: { placement: 'service' },
        headers: { 'x-changed-by': `Bearer ${token}` },
      },
    ],
    ['DELETE', `/admin/operators/${read}`, { token: tokens.operators! }],
    ['POST', '/admin/operators', { token: read, body: { name: 'x', scopes: ['read'] } }],
  ];
  for (const module of [undefined, 'orders', 'users']) {
    if (module) await shop.started.extract(module);
    for (const [method, path, options] of sent) await shop.call(method, path, options);
  }
  const { INTERNAL_KEY, SIGNING_KEY, ROOT_KEY, DATABASE_URL } = shop.started.env;
  secrets.push(
    shop.adminToken,
    INTERNAL_KEY!,
    ROOT_KEY!,
    JSON.parse(SIGNING_KEY!).d,
    password,
    token,
    `${password}!`,
  );
  const text = files()
    .map((path) => readFileSync(path, 'utf8'))
    .join('');
  expect(text.split('\n').length).toBeGreaterThan(30);
  for (const secret of [...secrets, new URL(DATABASE_URL!).password].filter(Boolean))
    expect(text).not.toContain(secret);
  expect(text).not.toMatch(/eyJ[\w-]{10,}\.|bop_\w|scrypt:|sha256:|\$argon2|"d":"/);
});
