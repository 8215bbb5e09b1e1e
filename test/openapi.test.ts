// The document is the contract: valid OpenAPI 3.1, every route in it, and every answer of a walk through all
// operations as it says. The pages that show it load; of the keys only the public half is shown.
import { Validator } from '@seriousme/openapi-schema-validator';
import { createLocalJWKSet, jwtVerify } from 'jose';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moduleNames } from '../src/banyan/config/environment.ts';
import { loadContract } from '../src/banyan/host/load.ts';
import { admin } from '../src/banyan/placement/admin-contract.ts';
import { shopApp } from '../src/shop.ts';
import { type Document, Walk } from './openapi-walk.ts';
import { ask } from './saga/sums.ts';
import { type Answer, type Customer, clientOf, eventually, type Shop, unique } from './shop.ts';
import { startShop } from './start-shop.ts';

const nowhere = '019b76da-a800-7000-8000-01a6aa00ffff';

describe('the document', () => {
  let shop: Shop;
  let document: Document;
  let walk: Walk;
  let customer: Customer;

  beforeAll(async () => {
    shop = clientOf(await startShop());
    document = (await shop.call('GET', '/openapi.json')).body;
    walk = new Walk(shop, document);
    customer = await shop.customer();
  });
  afterAll(() => shop?.started.stop());

  const asCustomer = () => ({ token: customer.token });
  const asAdmin = () => ({ token: shop.adminToken });
  const expectStatus = (answer: Answer, status: number) =>
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document) as never);
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('has every route of every contract and of /admin', async () => {
    const contracts = [
      ...(await Promise.all(moduleNames(shopApp).map((name) => loadContract(shopApp, name)))),
      admin,
    ];
    for (const contract of contracts) {
      for (const [name, { http }] of Object.entries(contract.operations)) {
        if (!http) continue;
        const item = document.paths[http.path.replace(/:(\w+)/g, '{$1}')];
        expect(item?.[http.method.toLowerCase()]?.operationId).toBe(`${contract.module}.${name}`);
      }
    }
    const ids = walk.operations;
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => /\.(getUser|priceProducts)$/.test(id))).toEqual([]);
  });

  it('is right about users', async () => {
    const email = `${unique('walker')}@example.com`;
    const account = { email, name: 'A Walker', password: 'a password to walk with' };
    const registered = await walk.call('POST', '/api/users', { body: account });
    expectStatus(registered, 201);
    expectStatus(await walk.call('POST', '/api/users', { body: account }), 201);
    expectStatus(await walk.call('POST', '/api/users', { body: { ...account, email: 7 } }), 422);
    const wrong = { email, password: 'wrong' };
    expectStatus(await walk.call('POST', '/api/users/sessions', { body: wrong }), 401);
    const session = await walk.call('POST', '/api/users/sessions', {
      body: { email, password: account.password },
    });
    expectStatus(session, 201);
    const { token } = session.body;
    expectStatus(await walk.call('GET', '/api/users/me', { token }), 200);
    expectStatus(await walk.call('GET', '/api/users/me'), 401);
    expectStatus(await walk.call('GET', '/api/users/me', asAdmin()), 403);
    expectStatus(await walk.call('PATCH', '/api/users/me', { token, body: { name: 'Renamed' } }), 200);
    const wish = { email: `${unique('walker')}@example.com`, currentPassword: 'wrong' };
    expectStatus(await walk.call('PATCH', '/api/users/me', { token, body: wish }), 403);
    const signedIn = { body: { email, password: account.password } };
    const { token: brief } = (await walk.call('POST', '/api/users/sessions', signedIn)).body;
    expectStatus(await walk.call('DELETE', '/api/users/sessions/current', { token: brief }), 204);
    await walk.call('POST', '/api/users/sessions', signedIn);
    const list = await walk.call('GET', '/api/users/me/sessions', { token });
    expectStatus(list, 200);
    const path = `/api/users/me/sessions/${list.body.items[0].id}`;
    expectStatus(await walk.call('DELETE', path, { token }), 204);
    expectStatus(await walk.call('DELETE', path, { token }), 404);
    expectStatus(await walk.call('DELETE', '/api/users/me/sessions', { token }), 204);
    const block = { ...asAdmin(), body: { blocked: true } };
    expectStatus(await walk.call('PATCH', `/api/users/${registered.body.id}`, block), 200);
    expectStatus(await walk.call('PATCH', `/api/users/${nowhere}`, block), 404);
    expectStatus(await walk.call('PATCH', `/api/users/${nowhere}`, { token, body: { blocked: true } }), 403);
    expectStatus(await walk.call('DELETE', '/api/users/me', { token }), 204);
  });

  it('is right about catalog', async () => {
    const body = {
      sku: unique('walk'),
      name: 'W',
      description: '',
      priceCents: 5,
      currency: 'EUR',
      stock: 3,
    };
    const created = await walk.call('POST', '/api/catalog/products', { ...asAdmin(), body });
    expectStatus(created, 201);
    expectStatus(await walk.call('POST', '/api/catalog/products', { ...asAdmin(), body }), 409);
    const path = `/api/catalog/products/${created.body.id}`;
    expectStatus(await walk.call('GET', path), 200);
    expectStatus(await walk.call('PATCH', path, { ...asAdmin(), body: { imageId: nowhere } }), 200);
    expectStatus(await walk.call('GET', `/api/catalog/products/${nowhere}`), 404);
    const page = await walk.call('GET', '/api/catalog/products?limit=2&q=a');
    expectStatus(page, 200);
    const next = `/api/catalog/products?q=a&cursor=${encodeURIComponent(page.body.nextCursor)}`;
    expectStatus(await walk.call('GET', next), 200);
    expectStatus(await walk.call('GET', '/api/catalog/products?cursor=none'), 422);
  });

  it('is right about media', async () => {
    const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(png)]), 'a.png');
    const uploaded = await walk.call('POST', '/api/media', { ...asCustomer(), body: form });
    expectStatus(uploaded, 201);
    const path = `/api/media/${uploaded.body.id}`;
    const picture = await walk.call('GET', path);
    expectStatus(picture, 200);
    expectStatus(await walk.call('GET', `${path}?variant=thumb`), 200);
    expectStatus(await walk.call('GET', path, { headers: { range: 'bytes=0-3' } }), 206);
    expectStatus(await walk.call('GET', path, { headers: { range: 'bytes=999999-' } }), 416);
    const etag = picture.headers.get('etag')!;
    expectStatus(await walk.call('GET', path, { headers: { 'if-none-match': etag } }), 304);
    expectStatus(await walk.call('GET', `/api/media/${nowhere}`), 404);
    const none = new FormData();
    none.set('file', new Blob(['no image']), 'a.png');
    expectStatus(await walk.call('POST', '/api/media', { ...asCustomer(), body: none }), 422);
    expectStatus(await walk.call('POST', '/api/media', { ...asCustomer(), body: {} }), 415);
  });

  it('is right about orders, payments and notifications', async () => {
    const product = await shop.product();
    const place = (paymentToken: string, productId = product.id) =>
      walk.call('POST', '/api/orders', {
        ...asCustomer(),
        headers: { 'idempotency-key': unique('walk') },
        body: { lines: [{ productId, quantity: 1 }], paymentToken },
      });
    expectStatus(await place('tok_ok', nowhere), 422);
    const placed = await place('tok_ok');
    expectStatus(placed, 202);
    const declined = await place('tok_declined');
    await Promise.all([shop.final(customer, placed.body.id), shop.final(customer, declined.body.id)]);
    const path = `/api/orders/${placed.body.id}`;
    expectStatus(await walk.call('GET', path, asCustomer()), 200);
    expect((await walk.call('GET', `/api/orders/${declined.body.id}`, asCustomer())).body.reason).toBe(
      'payment-declined',
    );
    expectStatus(await walk.call('GET', `/api/orders/${nowhere}`, asCustomer()), 404);
    expectStatus(await walk.call('GET', '/api/orders?limit=1', asCustomer()), 200);
    expectStatus(await walk.call('DELETE', path, asCustomer()), 409);
    const late = await place('tok_timeout');
    expect([200, 202]).toContain(
      (await walk.call('DELETE', `/api/orders/${late.body.id}`, asCustomer())).status,
    );
    expectStatus(await walk.call('GET', `/api/payments?orderId=${placed.body.id}`, asCustomer()), 200);
    expectStatus(await walk.call('GET', '/api/payments/sandbox/charges?limit=5', asAdmin()), 200);
    expectStatus(await walk.call('GET', '/api/payments/sandbox/charges', asCustomer()), 403);
    expectStatus(await walk.call('GET', '/api/notifications', asCustomer()), 200);
    const mail = { userId: customer.id, type: 'greeting', content: 'Hello' };
    expectStatus(await walk.call('POST', '/api/notifications/send', { ...asAdmin(), body: mail }), 202);
    const lost = { ...mail, userId: nowhere };
    expectStatus(await walk.call('POST', '/api/notifications/send', { ...asAdmin(), body: lost }), 422);
  });

  it('is right about sagas', async () => {
    const product = await shop.product();
    const placed = await shop.order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
    const saga = `/admin/saga/${placed.id}`;
    expectStatus(await walk.call('GET', `/api/orders/${placed.id}/timeline`, asCustomer()), 200);
    expectStatus(await walk.call('GET', '/admin/saga', asAdmin()), 200);
    expectStatus(await walk.call('GET', '/admin/saga', asCustomer()), 403);
    const put = (style: string) => walk.call('PUT', '/admin/saga', { ...asAdmin(), body: { style } });
    expectStatus(await put('choreography'), 200);
    expectStatus(await put('dance'), 422);
    expectStatus(await walk.call('GET', saga, asAdmin()), 200);
    expectStatus(await walk.call('GET', `/admin/saga/${nowhere}`, asAdmin()), 404);
    expectStatus(await walk.call('POST', `${saga}/retry`, asAdmin()), 409);
    for (const help of ['retry', 'cancel'])
      await shop.eventually(async () => {
        // As if nothing had come of it for a minute; what a retry brings begins anew.
        const past = `UPDATE orders.saga_steps SET at = now() - interval '1 minute' WHERE saga_id = $1`;
        await ask(shop, past, [placed.id]);
        expectStatus(await walk.call('POST', `${saga}/${help}`, asAdmin()), 200);
      });
  });

  it('is right about placements and services', async () => {
    const put = (path: string, body: object) => walk.call('PUT', `/admin/${path}`, { ...asAdmin(), body });
    expectStatus(await walk.call('GET', '/admin/placements', asAdmin()), 200);
    expectStatus(await walk.call('GET', '/admin/placements', asCustomer()), 403);
    expectStatus(await walk.call('GET', '/admin/placements'), 401);
    expectStatus(await put('placements/payments', { placement: 'service' }), 409);
    expectStatus(await put('placements/nope', { placement: 'service' }), 404);
    expectStatus(await put('placements/payments', { placement: 'there' }), 422);
    expectStatus(await put('services/payments', { instances: 1 }), 200);
    expectStatus(await put('placements/payments', { placement: 'service' }), 200);
    expectStatus(await put('placements/payments', { placement: 'canary', percent: 10, reason: 'walk' }), 200);
    expectStatus(await put('placements/payments', { placement: 'canary' }), 422);
    expectStatus(await walk.call('GET', '/admin/placements', asAdmin()), 200);
    expectStatus(await walk.call('GET', '/admin/history?module=payments&limit=1', asAdmin()), 200);
    expectStatus(await walk.call('GET', '/admin/history?module=nope', asAdmin()), 404);
    expectStatus(await walk.call('GET', '/admin/flags', asAdmin()), 200);
    expectStatus(await walk.call('GET', '/api/payments', asCustomer()), 200);
    expectStatus(await put('services/payments', { instances: 0 }), 409);
    expectStatus(await put('placements/payments', { placement: 'in-process' }), 200);
    expectStatus(await put('services/payments', { instances: 0 }), 200);
  });

  it('is right about transfers and logs', async () => {
    const put = (path: string, body: object) =>
      walk.call('PUT', `/admin/transfers/${path}`, { ...asAdmin(), body });
    const steps = async () => (await walk.call('GET', '/admin/transfers', asAdmin())).body.items;
    expectStatus(await walk.call('GET', '/admin/transfers', asCustomer()), 403);
    expectStatus(await put('nope', { to: 'service' }), 404);
    expectStatus(await put('payments', { to: 'in-process', percent: 5 }), 422);
    expectStatus(await put('payments', { to: 'service' }), 202);
    expectStatus(await put('payments', { to: 'in-process' }), 409);
    await eventually(
      async () => expect(await steps()).toMatchObject([{ step: 'done', to: 'service' }]),
      60_000,
    );
    expectStatus(await walk.call('GET', '/admin/logs/payments', asAdmin()), 200);
    expectStatus(await walk.call('GET', '/admin/logs/nope', asAdmin()), 404);
    expectStatus(await put('payments', { to: 'in-process' }), 202);
    await eventually(
      async () => expect(await steps()).toMatchObject([{ step: 'done', to: 'in-process' }]),
      60_000,
    );
  });

  it('is right about deploys', async () => {
    const deploy = (module: string, body: object) =>
      walk.call('PUT', `/admin/deploys/${module}`, { ...asAdmin(), body });
    const end = (module: string, who = asAdmin()) => walk.call('DELETE', `/admin/deploys/${module}`, who);
    expectStatus(await deploy('payments', { percent: 10 }), 409);
    expectStatus(await deploy('payments', { release: '9.9.9', percent: 10 }), 409);
    expectStatus(await deploy('payments', { release: 'a b' }), 422);
    expectStatus(await deploy('payments', { release: '9.9.9', percent: 101 }), 422);
    expectStatus(await deploy('nope', { release: '9.9.9' }), 404);
    expectStatus(await deploy('payments', { release: '9.9.9', reason: 'a walk' }), 200);
    const { body } = await walk.call('GET', '/admin/placements', asAdmin());
    expect(body.modules.find(({ module }: { module: string }) => module === 'payments')).toMatchObject({
      deploy: { release: '9.9.9', percent: 0, before: [] },
    });
    expectStatus(await end('payments', asCustomer()), 403);
    expectStatus(await end('nope'), 404);
    expectStatus(await end('payments'), 200);
    expectStatus(await end('payments'), 200);
  });

  it('is right about ladders', async () => {
    const ladder = (method: string, path: string, body?: object) =>
      walk.call(method, `/admin/ladders/${path}`, { ...asAdmin(), ...(body && { body }) });
    expectStatus(await ladder('GET', 'payments'), 200);
    expectStatus(await ladder('GET', 'nope'), 404);
    expectStatus(await ladder('PUT', 'payments', {}), 409);
    expectStatus(await ladder('PUT', 'payments', { steps: [10, 5] }), 422);
    for (const act of ['pause', 'resume', 'promote', 'demote'])
      expectStatus(await ladder('POST', `payments/${act}`, {}), 409);
    const services = (instances: number) =>
      walk.call('PUT', '/admin/services/payments', { ...asAdmin(), body: { instances } });
    expectStatus(await services(1), 200);
    expectStatus(await ladder('PUT', 'payments', { steps: ['10', 100] }), 200);
    expectStatus(await ladder('PUT', 'payments', {}), 409);
    for (const act of ['pause', 'resume', 'promote', 'demote'])
      expectStatus(await ladder('POST', `payments/${act}`, { reason: 'a walk' }), 200);
    expectStatus(await ladder('GET', 'payments/samples'), 200);
    expectStatus(await ladder('DELETE', 'payments'), 200);
    expectStatus(await services(0), 200);
  });

  it('is right about stores', async () => {
    const store = (method: string, path: string, body?: object) =>
      walk.call(method, `/admin/stores${path}`, { ...asAdmin(), ...(body && { body }) });
    expectStatus(await store('GET', ''), 200);
    expectStatus(await store('GET', '/payments'), 200);
    expectStatus(await store('GET', '/nope'), 404);
    expectStatus(await store('PUT', '/payments', { server: 'shared' }), 202);
    expectStatus(await store('PUT', '/payments', { server: 'nowhere' }), 422);
    for (const act of ['back', 'verify', 'finish', 'abort'])
      expectStatus(await store('POST', `/payments/${act}`, {}), 409);
  });

  it('is right about operators and keys', async () => {
    const name = unique('walker');
    const add = (scopes: string[]) =>
      walk.call('POST', '/admin/operators', { ...asAdmin(), body: { name, scopes } });
    expectStatus(await add([]), 422);
    const added = await add(['read']);
    expectStatus(added, 201);
    expectStatus(await add(['read']), 409);
    const asReader = { token: added.body.token };
    expectStatus(await walk.call('GET', '/admin/operators', asReader), 200);
    expectStatus(await walk.call('DELETE', `/admin/operators/${name}`, asReader), 403);
    expectStatus(await walk.call('GET', '/admin/keys', asReader), 403);
    expectStatus(await walk.call('DELETE', `/admin/operators/${name}`, asAdmin()), 200);
    expectStatus(await walk.call('DELETE', '/admin/operators/nobody', asAdmin()), 404);
    expectStatus(await walk.call('DELETE', '/admin/operators/operator', asAdmin()), 409);
    expectStatus(await walk.call('GET', '/admin/operators', asReader), 401);

    expectStatus(await walk.call('GET', '/admin/keys', asAdmin()), 200);
    const issued = await walk.call('POST', '/admin/keys', { ...asAdmin(), body: { name: 'payments' } });
    expectStatus(issued, 201);
    expectStatus(await walk.call('POST', '/admin/keys', { ...asAdmin(), body: { name: 'nope' } }), 404);
    expectStatus(await walk.call('DELETE', `/admin/keys/${issued.body.kid}`, asAdmin()), 200);
    expectStatus(await walk.call('DELETE', '/admin/keys/nope', asAdmin()), 404);
    expectStatus(await walk.call('POST', '/admin/keys/seal/rotate', asAdmin()), 200);
  });

  it('is right about what is asked over all hosts and histories', async () => {
    const get = (path: string) => walk.call('GET', path, asAdmin());
    expectStatus(await get('/admin/events/catalogue'), 200);
    expectStatus(await get('/admin/discovery'), 200);
    expectStatus(await get('/admin/doctor'), 200);
    expectStatus(await get('/admin/traces'), 200);
    const user = await walk.call('GET', '/api/catalog/products?limit=1');
    const trace = user.headers.get('traceparent')!.slice(3, 35);
    expectStatus(await get(`/admin/traces?key=${trace}&min=0&failed=false&limit=5`), 200);
    expectStatus(await get(`/admin/traces/${trace}`), 200);
    expectStatus(await get('/admin/traces/00000000000000000000000000000001'), 404);
    expectStatus(await get('/admin/traces/nope'), 422);
    expectStatus(await get('/admin/audit?limit=100&actor=operator'), 200);
    expectStatus(await get('/admin/audit?cursor=nope'), 422);
    expectStatus(await get('/admin/compares'), 200);
    expectStatus(await get('/admin/compares/nope'), 404);
  });

  it('is right about the host', async () => {
    for (const path of [
      '/health/live',
      '/health/ready',
      '/.well-known/jwks.json',
      '/openapi.json',
      '/asyncapi.json',
    ])
      expectStatus(await walk.call('GET', path), 200);
  });

  it('describes no operation of a module, of placement or of the host that did not answer here', () => {
    // Events and comparisons (test/compares.long.test.ts) have tests of their own; a pair of stores needs a second server
    // (test/store-command.long.test.ts).
    const elsewhere = /^(events\.|comparisons\.|stores\.(back|verify|finish|abort)$)/;
    const left = walk.operations.filter((id) => !walk.seen.has(id) && !elsewhere.test(id));
    expect(left).toEqual([]);
  });

  it('is shown with all that the page asks for', async () => {
    expect((await fetch(shop.url, { redirect: 'manual' })).headers.get('location')).toBe('/docs');
    const page = await shop.call('GET', '/docs');
    expectStatus(page, 200);
    const html = page.body.toString();
    const assets = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => match[1]!);
    expect(assets.length).toBeGreaterThan(4);
    for (const asset of assets) {
      // All of it is served here: the page works without a network.
      expect(asset).toMatch(/^\/docs\//);
      const answer = await shop.call('GET', asset);
      expectStatus(answer, 200);
      expect(answer.headers.get('content-type')).toMatch(
        /^(text\/css|(text|application)\/javascript|image\/png)/,
      );
      expect(answer.body.length).toBeGreaterThan(50);
    }
    expect((await shop.call('GET', '/docs/json')).body.paths).toEqual(document.paths);
  });

  it('shows the public half of the keys and nothing else, and it verifies a session', async () => {
    const { body, headers } = await shop.call('GET', '/.well-known/jwks.json');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(body.keys).toHaveLength(1);
    const secret = JSON.parse(shop.started.env.SIGNING_KEY!).d;
    for (const path of ['/.well-known/jwks.json', '/openapi.json', '/docs/json', '/admin/placements'])
      expect(JSON.stringify((await shop.call('GET', path, asAdmin())).body)).not.toContain(secret);
    const { payload } = await jwtVerify(customer.token, createLocalJWKSet(body));
    expect(payload.sub).toBe(customer.id);
  });
});
