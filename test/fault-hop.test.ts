// A host that does not let another one in: the client hears a 503 with the cause and never a 401 that is not its own,
// a flip to it is refused, `status` says what requests see, and one line in the log says why. For services of this
// repository and for those in another language, which need say nothing.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../src/modules/catalog/contract.ts';
import { launch } from '../stage/launch.ts';
import { clockApart } from './clock-apart.ts';
import { overview, place, scale } from './flip-modules.ts';
import { type Foreign, startForeign } from './foreign-service.ts';
import { metricOf } from './metric.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { installationOf, startShop } from './start-shop.ts';

const internalOf = (shop: Shop) => /INTERNAL_PORT is open at (http:\S+?)"/.exec(shop.started.output())![1]!;
const linesOf = (shop: Shop, words: RegExp) =>
  shop.started
    .output()
    .split('\n')
    .filter((line) => words.test(line));
/** 1 while catalog-1 is held out for that. */
const heldOut = (shop: Shop, cause: string) =>
  metricOf(shop, `banyan_host_held_out{held="catalog-1",module="catalog",cause="${cause}"`);
const list = (shop: Shop) => shop.call('GET', '/api/catalog/products?limit=1');

describe('a service in another language', () => {
  let shop: Shop;
  let foreign: Foreign;
  beforeAll(async () => {
    shop = clientOf(await startShop());
    foreign = await startForeign(catalog, internalOf(shop), installationOf(shop.started));
  });
  afterAll(async () => {
    await place(shop, 'catalog', 'in-process');
    await foreign?.close();
    await shop?.started.stop();
  });
  afterEach(() => {
    foreign.admits = () => true;
    foreign.ready = 404;
  });
  const instance = async () => (await overview(shop, 'catalog')).instances[0]!;
  const served = () =>
    eventually(async () => {
      const got = await list(shop);
      expect([got.status, got.headers.get('x-served-by')]).toEqual([200, 'catalog-1']);
      expect(await instance()).toMatchObject({ healthy: true });
      expect(await instance()).not.toHaveProperty('heldOut');
    });

  it('that refuses the token gets no module', async () => {
    foreign.admits = () => false;
    const flip = await place(shop, 'catalog', 'service');
    expect(flip).toMatchObject({ status: 409, body: { code: 'instance-refuses' } });
    expect(flip.body.detail).toMatch(
      /catalog-1 refuses the internal token of this host \(401\).*must know the key of this host/,
    );
    expect((await overview(shop, 'catalog')).placement).toBe('in-process');
    expect((await list(shop)).status).toBe(200);
  });

  it('that lets this host in gets it, without a page for its readiness', async () => {
    expect((await place(shop, 'catalog', 'service')).status).toBe(200);
    await served();
  });

  it('that refuses the token later: 503 for every client, with the cause once in the log, and in the status', async () => {
    const before = linesOf(shop, /refuses the internal token/).length;
    foreign.admits = () => false;
    const customer = await shop.customer();
    for (const token of [undefined, customer.token, shop.adminToken]) {
      for (let n = 0; n < 3; n += 1) {
        const got = await shop.call('GET', '/api/catalog/products?limit=1', token ? { token } : {});
        expect(got).toMatchObject({ status: 503, body: { code: 'unavailable', module: 'catalog' } });
        expect(got.body.detail).toMatch(/^catalog is not available at the moment/);
        expect(got.headers.get('retry-after')).toMatch(/^\d+$/);
      }
    }
    await eventually(async () => {
      expect(await instance()).toMatchObject({
        healthy: false,
        heldOut: [{ by: 'monolith', reason: expect.stringContaining('refuses the internal token') }],
      });
    });
    expect(await heldOut(shop, 'other')).toBe(1);
    expect(await metricOf(shop, 'banyan_instances_healthy{module="catalog"')).toBe(0);
    const { body } = await shop.call('GET', '/health/ready');
    expect(body.modules.catalog).toEqual({ placement: 'service', instances: 1, healthy: 0 });
    expect(linesOf(shop, /refuses the internal token/).slice(before)).toEqual([expect.any(String)]);
    foreign.admits = () => true;
    await served();
    expect(await heldOut(shop, 'other')).toBeNaN();
  });

  it('has a 401 of its own, which is the client’s', async () => {
    foreign.serve = (request, response) => {
      const mine = request.url!.startsWith('/api/');
      response.writeHead(mine ? 401 : 404).end();
    };
    expect((await list(shop)).status).toBe(401);
    foreign.serve = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[]}');
    };
    await served();
  });

  it('that took no connection for a moment comes back, with or without a page for its readiness', async () => {
    for (const ready of [404, 200]) {
      foreign.ready = ready;
      await foreign.pause();
      expect((await list(shop)).status).toBe(503);
      await eventually(async () => {
        expect(await instance()).toMatchObject({
          healthy: false,
          heldOut: [
            { by: 'monolith', reason: expect.stringContaining('does not answer'), since: expect.any(String) },
          ],
        });
      });
      await foreign.resume();
      await served();
    }
  });

  it('that answers its beats and not its readiness is shown as what requests find', async () => {
    foreign.ready = 503;
    await foreign.pause();
    expect((await list(shop)).body.detail).toMatch(/^catalog is not available at the moment/);
    await foreign.resume();
    await eventually(async () => {
      expect(await instance()).toMatchObject({
        healthy: false,
        heldOut: [{ reason: 'catalog-1 answers 503 to GET /health/ready' }],
      });
    });
    expect(await heldOut(shop, 'probe')).toBe(1);
    expect((await list(shop)).body.detail).toMatch(/^catalog is not available at the moment/);
    foreign.ready = 200;
    await served();
  });
});

describe('two clocks', () => {
  const { env, folder, set, close } = clockApart('orders-1');
  let shop: Shop;
  beforeAll(async () => {
    set(0);
    shop = clientOf(await startShop({ env }));
  });
  afterAll(async () => {
    await shop?.started.stop();
    close();
  });

  it.each([
    [600, 'behind'],
    [-600, 'ahead of'],
  ])('%d s apart: a service is told of the clock, not of INTERNAL_KEY', async (seconds, words) => {
    set(seconds);
    const got = await scale(shop, 'orders', 1);
    expect(got).toMatchObject({ status: 502, body: { code: 'start-failed' } });
    expect(got.body.detail).toMatch(new RegExp(`its clock is (599|600|601) s ${words} the clock here`));
    expect(got.body.detail).not.toMatch(/INTERNAL_KEY/);
  });

  it.each([60, -60])('%d s apart are let pass', async (seconds) => {
    set(seconds);
    await shop.started.extract('orders');
    const customer = await shop.customer();
    const got = await shop.call('GET', '/api/orders', { token: customer.token });
    expect([got.status, got.headers.get('x-served-by')]).toEqual([200, 'orders-1']);
    await shop.started.restore('orders');
  });

  it.each([600, -600])('that part by %d s while it serves: no 401 for its clients', async (seconds) => {
    set(0);
    await shop.started.extract('orders');
    const customer = await shop.customer();
    const ask = () => shop.call('GET', '/api/orders?limit=1', { token: customer.token });
    expect((await ask()).status).toBe(200);
    set(seconds);
    const until = Date.now() + 5_000;
    while (Date.now() < until) {
      const got = await ask();
      expect([200, 503], JSON.stringify(got.body)).toContain(got.status);
    }
    const flip = await place(shop, 'orders', 'in-process');
    expect(flip.status).toBe(200);
    expect((await place(shop, 'orders', 'service')).status).toBe(409);
    expect((await ask()).headers.get('x-served-by')).toBe('monolith');
    set(0);
    await eventually(async () => expect((await place(shop, 'orders', 'service')).status).toBe(200));
    await eventually(async () => expect((await ask()).headers.get('x-served-by')).toBe('orders-1'));
    await shop.started.restore('orders');
  });

  it.each([600, -600])('a gateway alone that is %d s apart from its monolith says so', async (seconds) => {
    set(seconds);
    const gateway = launch({
      env: { ...shop.started.env, MODULES: 'none', DATA_DIR: folder, INSTANCE_ID: 'orders-1' },
      // It greets nobody before it is known to the monolith.
      says: (output) => /"PORT is open at (http:\S+?)"/.exec(output)?.[1],
    });
    try {
      const { url } = await gateway.up();
      const ask = () => fetch(`${url}/api/catalog/products?limit=1`);
      await eventually(async () => {
        const got = await ask();
        expect(got.status).toBe(503);
        expect(await got.text()).toMatch(/catalog is not available at the moment/);
        expect(gateway.output()).toMatch(
          /monolith refuses the internal token of this host.*clock is (599|600|601) s/,
        );
      });
      for (let n = 0; n < 5; n += 1) expect((await ask()).status).toBe(503);
      expect(gateway.output().match(/refuses the internal token/g)).toHaveLength(1);
      set(0);
      await eventually(async () => expect((await ask()).status).toBe(200));
    } finally {
      await gateway.end();
    }
    expect(await gateway.ended).toBe(0);
  });
});
