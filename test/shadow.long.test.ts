// Requests that a module serves in-process, tried on its service as well, between real processes: what is compared, what is
// answered, and that a client notices nothing.
import { pino } from 'pino';
import { beforeAll, expect, it } from 'vitest';
import { collectStats, liveHosts } from '../src/banyan/placement/collect-stats.ts';
import { createControlStore } from '../src/banyan/placement/store.ts';
import { type ShadowReport, shadowSum } from '../src/banyan/telemetry/shadow-reports.ts';
import { tokensAs } from '../stage/ring.ts';
import { type Customer, unique, withShop } from './shop.ts';
import { installationOf } from './start-shop.ts';

withShop((shop) => {
  const shadowed = ['users', 'catalog', 'orders', 'notifications'];
  let customer: Customer;
  let productId: string;

  const admin = async (path: string, body: object, status = 200) => {
    const answer = await shop().call('PUT', path, { token: shop().adminToken, body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    return answer.body;
  };
  const shadow = (module: string, mirror: object) =>
    admin(`/admin/placements/${module}`, { placement: 'shadow', mirror });

  beforeAll(async () => {
    customer = await shop().customer();
    productId = (await shop().product({ stock: 100_000 })).id;
    await Promise.all(shadowed.map((module) => admin(`/admin/services/${module}`, { instances: 1 })));
  }, 120_000);

  /** Over all hosts, since the present placement of the module began. */
  async function counts(module: string): Promise<ShadowReport> {
    const store = createControlStore({ url: shop().started.databaseUrl, log: pino({ level: 'silent' }) });
    try {
      const tokens = await tokensAs(installationOf(shop().started), 'monolith');
      const tables = await store.read();
      const { hosts } = await collectStats(liveHosts(tables), tokens);
      const { changedAt } = tables.placements.find((one) => one.module === module)!;
      return shadowSum(hosts, module, changedAt);
    } finally {
      await store.close();
    }
  }

  it('needs a healthy instance, and a mirror that fits', async () => {
    const refused = async (module: string, body: object, status: number) =>
      (await admin(`/admin/placements/${module}`, body, status)).code;
    expect(await refused('payments', { placement: 'shadow' }, 409)).toBe('no-healthy-instance');
    expect(await refused('orders', { placement: 'shadow', mirror: { reads: 101 } }, 422)).toBe(
      'mirror-invalid',
    );
    expect(await refused('orders', { placement: 'service', mirror: { reads: 1 } }, 422)).toBe(
      'mirror-invalid',
    );
    expect(await refused('orders', { placement: 'shadow', percent: 5 }, 422)).toBe('percent-invalid');
    const placed = await admin('/admin/placements/orders', { placement: 'shadow' });
    expect(placed).toMatchObject({ placement: 'shadow', percent: 0, mirror: { reads: 100, writes: 5 } });
    expect(await admin('/admin/placements/orders', { placement: 'in-process' })).not.toHaveProperty('mirror');
  });

  it('compares reads and writes with the service, and finds nothing where nothing is', async () => {
    for (const module of shadowed) await shadow(module, { reads: 100, writes: 100 });
    const { token } = customer;
    // What nobody changes meanwhile: what moves between two reads differs, on either side.
    const still = (await shop().product()).id;
    const onlooker = await shop().customer();
    const changer = await shop().customer();
    const get = async (path: string) => {
      const answer = await shop().call('GET', path, { token: onlooker.token });
      expect(answer.status, path).toBe(200);
      expect(answer.headers.get('x-served-by')).toBe('monolith');
    };
    const ids: string[] = [];
    const judged = ({ far }: ShadowReport) => far.n;
    let all: Record<string, ShadowReport> = {};
    // A machine that is busy pauses the mirror for a while.
    for (const ends = Date.now() + 100_000; Date.now() < ends; ) {
      for (let round = 0; round < 15; round += 1) {
        ids.push((await shop().order(customer, [{ productId, quantity: 1 }])).id);
        await get(`/api/catalog/products/${still}`);
        await get('/api/users/me');
        const body = { name: unique('Ada') };
        expect((await shop().call('PATCH', '/api/users/me', { token: changer.token, body })).status).toBe(
          200,
        );
      }
      const each = await Promise.all(shadowed.map(async (module) => [module, await counts(module)] as const));
      all = Object.fromEntries(each);
      if (['users', 'catalog', 'orders'].every((module) => judged(all[module]!) >= 10)) break;
    }
    for (const module of ['users', 'catalog', 'orders'])
      expect.soft(judged(all[module]!), JSON.stringify(all)).toBeGreaterThanOrEqual(10);
    for (const [module, { differed, differences, failed }] of Object.entries(all))
      expect
        .soft({ module, differed, differences, failed })
        .toEqual({ module, differed: 0, differences: {}, failed: 0 });
    // Each order is there once: nothing that was tried is.
    const { body } = await shop().call('GET', '/api/orders?limit=100', { token });
    expect(body.items.map(({ id }: { id: string }) => id).sort()).toEqual(ids.slice(-100).sort());
    const ladder = await shop().call('GET', '/admin/ladders/orders', { token: shop().adminToken });
    expect(ladder.body).toMatchObject({ state: 'none', shadow: { differed: 0, failed: 0 } });
    expect(ladder.body.shadow.mirrored).toBeGreaterThanOrEqual(10);
  }, 150_000);

  it('is the first rung of a ladder, which goes on by what was compared', async () => {
    const still = (await shop().product()).id;
    const started = await admin('/admin/ladders/catalog', {
      steps: ['shadow', 50, 100],
      minSeconds: 1,
      minRequests: 20,
    });
    expect(started).toMatchObject({ state: 'running', rung: 'shadow' });
    let ladder = started;
    for (const ends = Date.now() + 100_000; ladder.rung === 'shadow' && Date.now() < ends; ) {
      const asked = Array.from({ length: 20 }, () => shop().call('GET', `/api/catalog/products/${still}`));
      for (const { status } of await Promise.all(asked)) expect(status).toBe(200);
      ladder = (await shop().call('GET', '/admin/ladders/catalog', { token: shop().adminToken })).body;
    }
    expect(ladder, JSON.stringify(ladder)).toMatchObject({ state: 'running', rung: '50' });
    const evidence = ladder.evidence.filter((one: { rung: string }) => one.rung === 'shadow');
    expect(evidence).toContainEqual(expect.objectContaining({ metric: 'differences', verdict: 'good' }));
    // Nobody added a product meanwhile.
    expect(ladder.unjudged).toContain('createProduct');
    expect(ladder.unjudged).not.toContain('getProduct');
    await shop().call('DELETE', '/admin/ladders/catalog', { token: shop().adminToken });
  }, 120_000);
});
