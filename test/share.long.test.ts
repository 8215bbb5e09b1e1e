// A share of the requests goes to a service: by every way in (proxied requests, plain reads over the link between two
// hosts, refs), through two monoliths and a gateway alone. Whoever is in is in everywhere, and stays in when the share
// grows; nobody can choose a share by a header; who is not answered over there is answered here.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSessionSigner } from '../src/banyan/identity/session-token.ts';
import { sideOf } from '../src/banyan/routing/side.ts';
import type { Snapshot } from '../src/banyan/routing/snapshot.ts';
import { type Launched, launch } from '../stage/launch.ts';
import { overview, place, scale } from './flip-modules.ts';
import { type Replica, startReplica } from './replicas-second.ts';
import { ask } from './saga/sums.ts';
import { clientOf, eventually, type Shop, unique, withShop } from './shop.ts';

const USERS = 60;
/** As many as ask at a time: more than can be done in time is shed. */
const AT_ONCE = 8;
const seen = /"PORT is open at (http:\S+?)"/;

withShop((shop) => {
  let replica: Replica;
  let gateway: Launched;
  let folder: string;
  let ways: Shop[];
  let product: string;
  let users: { id: string; token: string }[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'banyan-share-'));
    replica = await startReplica(shop());
    const env = { ...shop().started.env, MODULES: 'none', DATA_DIR: folder, INSTANCE_ID: 'gateway-1' };
    gateway = launch({ env, says: (output) => seen.exec(output)?.[1] });
    const { url } = await gateway.up();
    ways = [
      shop(),
      replica.shop,
      clientOf({ ...shop().started, url, adminToken: shop().adminToken } as never),
    ];
    product = (await shop().product()).id;
    const signer = createSessionSigner(JSON.parse(shop().started.env.SIGNING_KEY!));
    users = await Promise.all(
      Array.from({ length: USERS }, async () => {
        const id = crypto.randomUUID();
        return { id, token: (await signer.sign({ id, role: 'customer', epoch: 0 })).token };
      }),
    );
    expect((await scale(shop(), 'catalog', 2)).status).toBe(200);
  });
  afterAll(async () => {
    await Promise.all([replica?.stop(), gateway?.end()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const share = async (module: string, percent: number) => {
    const placement = percent === 0 ? 'in-process' : percent === 100 ? 'service' : 'canary';
    const body = placement === 'canary' ? { placement, percent } : { placement };
    const path = `/admin/placements/${module}`;
    const answer = await shop().call('PUT', path, { token: shop().adminToken, body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.body.lagging).toBeUndefined();
  };
  const expected = (module: string, percent: number, key: string) => {
    const placement = percent === 0 ? 'in-process' : percent === 100 ? 'service' : 'canary';
    const modules = { [module]: { placement, percent, instances: [] } };
    return sideOf({ modules } as unknown as Snapshot, module, { key });
  };
  /** By a client that fetch cannot be: one that says Connection itself. */
  const statusOf = async (way: Shop, path: string, headers: Record<string, string>) => {
    const [answer] = await once(request(new URL(path, way.url), { headers, agent: false }).end(), 'response');
    answer.resume();
    return answer.statusCode;
  };
  /** The side that answered. */
  const sideBy = async (way: Shop, path: string, options: Parameters<Shop['call']>[2] = {}) => {
    const answer = await way.call('GET', path, options);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.headers.get('x-served-by') === 'monolith' ? 'in-process' : 'service';
  };
  /** By a plain read, and by what has to be proxied. */
  const paths = () => [`/api/catalog/products/${product}`, '/api/catalog/products?limit=1'];

  test('a user is on one side, by every way in, and a share that grows keeps who is in', async () => {
    let before = new Set<string>();
    let last = 0;
    for (const percent of [1, 10, 50, 10, 0, 100]) {
      await share('catalog', percent);
      const inside = new Set<string>();
      const left = [...users];
      const some = async () => {
        for (let user = left.pop(); user; user = left.pop()) {
          const { id, token } = user;
          const sides = await Promise.all(
            ways.flatMap((way) => paths().map((path) => sideBy(way, path, { token }))),
          );
          expect(new Set(sides)).toEqual(new Set([expected('catalog', percent, id)]));
          if (sides[0] === 'service') inside.add(id);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, some));
      const [small, large] = percent > last ? [before, inside] : [inside, before];
      expect([...small].filter((id) => !large.has(id))).toEqual([]);
      if (percent === 50) expect(inside.size).toBeGreaterThan(USERS / 4);
      [before, last] = [inside, percent];
    }
    expect(before.size).toBe(USERS);
  });

  test('without a user it is the Idempotency-Key that decides, and else the trace', async () => {
    await share('catalog', 50);
    for (let n = 0; n < 12; n += 1) {
      const key = unique('key');
      const trace = crypto.randomUUID().replaceAll('-', '');
      const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
      for (const way of ways)
        for (const path of paths()) {
          const headers = { 'idempotency-key': key, traceparent };
          expect(await sideBy(way, path, { headers })).toBe(expected('catalog', 50, key));
          expect(await sideBy(way, path, { headers: { traceparent } })).toBe(expected('catalog', 50, trace));
        }
    }
    // A trace that began here is said in the answer.
    for (let n = 0; n < 30; n += 1) {
      const answer = await ways[n % 3]!.call('GET', paths()[n % 2]!);
      const trace = answer.headers.get('traceparent')!.slice(3, 35);
      const side = answer.headers.get('x-served-by') === 'monolith' ? 'in-process' : 'service';
      expect(side).toBe(expected('catalog', 50, trace));
    }
  });

  test('nobody chooses by a header: what hosts say to one another is dropped, a side is for operators', async () => {
    const others = Array.from({ length: 10 }, (_, n) => `other-${n}`);
    for (const { id, token } of users.slice(0, 10))
      for (const other of others)
        expect(await sideBy(shop(), paths()[0]!, { token, headers: { 'x-banyan-bucket': other } })).toBe(
          expected('catalog', 50, id),
        );
    const at = (side: string, token?: string) =>
      shop().call('GET', paths()[0]!, { ...(token ? { token } : {}), headers: { 'x-banyan-side': side } });
    for (const token of [undefined, users[0]!.token]) {
      const refused = await at('service', token);
      expect(refused.status).toBe(403);
      expect(refused.body).toMatchObject({ missingScope: 'place' });
      expect(refused.body.detail).toContain('scope place');
    }
    // Named in Connection, a header is dropped: after the router has read it.
    for (const way of ways)
      expect(
        await statusOf(way, paths()[0]!, { connection: 'x-banyan-side', 'x-banyan-side': 'service' }),
      ).toBe(403);
    const odd = await at('elsewhere', shop().adminToken);
    expect(odd.status).toBe(400);
    expect(odd.body.detail).toContain('x-banyan-side');
  });

  test('an operator tries a side by hand, whatever the placement is', async () => {
    const { adminToken: token } = shop();
    for (const percent of [0, 100]) {
      await share('catalog', percent);
      for (const side of ['service', 'in-process'] as const)
        for (const way of ways)
          for (const path of paths())
            expect(await sideBy(way, path, { token, headers: { 'x-banyan-side': side } })).toBe(side);
    }
    const headers = { 'x-banyan-side': 'service' };
    for (const way of ways) {
      const nobody = await way.call('GET', `/api/media/${crypto.randomUUID()}`, { token, headers });
      expect([nobody.status, nobody.body.code]).toEqual([503, 'unavailable']);
      expect(nobody.body.detail).toContain('x-banyan-side: service');
    }
  });

  test('refs follow the same key, near and far, and the counters say so', async () => {
    const customers = await Promise.all(Array.from({ length: 8 }, () => shop().customer()));
    await shop().started.extract('orders');
    for (const orders of ['service', 'in-process']) {
      expect((await place(shop(), 'orders', orders)).status).toBe(200);
      for (const percent of [10, 50]) {
        await share('catalog', percent);
        const before = await counted('priceProducts');
        await Promise.all(customers.map((one) => shop().order(one, [{ productId: product, quantity: 1 }])));
        const inside = customers.filter(({ id }) => expected('catalog', percent, id) === 'service').length;
        await eventually(async () => {
          const now = await counted('priceProducts');
          expect(now.service - before.service).toBe(inside);
          expect(now['in-process'] - before['in-process']).toBe(customers.length - inside);
        });
      }
    }
    await shop().started.restore('orders');
  });

  test('who is not answered over there is answered here, and it counts as a failure over there', async () => {
    await share('catalog', 50);
    const before = await counted('getProduct', 'banyan_requests_bad_total');
    const { instances } = await overview(shop(), 'catalog');
    for (const { pid } of instances) process.kill(pid, 'SIGKILL');
    for (const { token } of users.slice(0, 20))
      for (const way of ways)
        for (const path of paths()) expect((await way.call('GET', path, { token })).status).toBe(200);
    const now = await counted('getProduct', 'banyan_requests_bad_total');
    expect(now.service - before.service).toBeGreaterThan(0);
    expect(now['in-process'] - before['in-process']).toBe(0);
  });

  /** What all hosts counted of an operation, by the side that was decided. */
  async function counted(operation: string, name = 'banyan_requests_total') {
    const sum = { service: 0, 'in-process': 0 };
    for (const { url } of await ask(shop(), 'SELECT url FROM banyan_control.host WHERE live')) {
      const text = await fetch(`${url}/metrics`).then(
        (answer) => answer.text(),
        // One that was killed a moment ago.
        () => '',
      );
      for (const line of text.split('\n')) {
        if (!line.startsWith(`${name}{`) || !line.includes(`operation="${operation}"`)) continue;
        const side = /side="(service|in-process)"/.exec(line)![1] as keyof typeof sum;
        sum[side] += Number(line.split(' ').at(-1));
      }
    }
    return sum;
  }
});
