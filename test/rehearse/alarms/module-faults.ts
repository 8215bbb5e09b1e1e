// Services that are killed, cannot start, are held out, fail, or have too much to do.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { Agent, request } from 'undici';
import { again, type Fault } from './fault.ts';
import { foreignCatalog, serviceOf, withoutForeign } from './modules.ts';
import { type AlarmShop, signal } from './stage.ts';

export const instanceKilled: Fault = {
  name: 'instance',
  part: 'one of several instances',
  struck: 'SIGKILL; it is started again',
  alarms: [{ alarm: 'BanyanInstanceRestarts', labels: { module: 'notifications' } }],
  async strike(shop) {
    await serviceOf(shop, 'notifications', 2);
    signal(shop.processOf('notifications-2')!, 'SIGKILL');
    return () => serviceOf(shop, 'notifications', 0);
  },
};

export const lastInstance: Fault = {
  name: 'last-instance',
  part: 'the last instance of a module',
  struck: 'its port closed while it beats',
  alarms: [
    { alarm: 'BanyanModuleDown', labels: { module: 'catalog' } },
    { alarm: 'BanyanHostHeldOut', labels: { module: 'catalog', held: 'catalog-1', cause: 'silent' } },
  ],
  alone: true,
  async strike(shop) {
    const foreign = await foreignCatalog(shop, 100);
    await foreign.pause();
    return async () => {
      await foreign.resume();
      await withoutForeign(shop, foreign);
    };
  },
};

export const clockApart: Fault = {
  name: 'clock',
  part: 'a clock that is more than 90 s apart, a key that is not known',
  struck: 'a service that refuses tokens, with a clock ten minutes ahead',
  alarms: [{ alarm: 'BanyanHostHeldOut', labels: { module: 'catalog', held: 'catalog-1', cause: 'clock' } }],
  alone: true,
  async strike(shop) {
    const foreign = await foreignCatalog(shop, 100);
    foreign.admits = () => false;
    foreign.ahead = 600;
    return async () => {
      foreign.admits = () => true;
      foreign.ahead = 0;
      await withoutForeign(shop, foreign);
    };
  },
};

export const cannotStart: Fault = {
  name: 'start',
  part: 'a service that cannot be started (`extracted/<module>/main.ts`, a clock, a key)',
  struck: 'the clock of payments-2 ten minutes ahead, then SIGKILL',
  alarms: [
    { alarm: 'BanyanServiceCannotStart', labels: { module: 'payments', number: '2' } },
    { alarm: 'BanyanInstanceMissing', labels: { module: 'payments' } },
  ],
  alone: true,
  slowMs: 60_000,
  async strike(shop) {
    await serviceOf(shop, 'payments', 2);
    shop.setClock('payments-2', 600);
    signal(shop.processOf('payments-2')!, 'SIGKILL');
    return async () => {
      shop.setClock('payments-2', 0);
      await serviceOf(shop, 'payments', 0);
    };
  },
};

export const shareFails: Fault = {
  name: 'share',
  part: 'a service that fails, in a share',
  struck: 'half of the requests there, each answered 500',
  alarms: [{ alarm: 'BanyanModuleFails', labels: { module: 'catalog', side: 'service' } }],
  alone: true,
  async strike(shop) {
    const foreign = await foreignCatalog(shop, 50);
    foreign.serve = (_request, response) => {
      response.writeHead(500).end();
    };
    return () => withoutForeign(shop, foreign);
  },
};

export const ladderFails: Fault = {
  name: 'ladder',
  part: 'a service that fails, on a ladder',
  struck: 'each request there answered 500; then a ladder that does not fail',
  alarms: [{ alarm: 'BanyanLadderDown', labels: { module: 'catalog' } }],
  alone: true,
  slowMs: 30_000,
  async strike(shop) {
    const foreign = await foreignCatalog(shop, 0);
    const path = '/admin/ladders/catalog';
    const climb = () => shop.admin('PUT', path, { steps: [50, 100], minSeconds: 2, minRequests: 20 });
    foreign.serve = (_request, response) => {
      response.writeHead(500).end();
    };
    await climb();
    return async () => {
      foreign.serve = (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[],"nextCursor":null}');
      };
      await climb();
      await shop.admin('DELETE', path);
      await withoutForeign(shop, foreign);
    };
  },
};

export const lagging: Fault = {
  name: 'lagging',
  part: 'a host that decides by old placements',
  struck: 'a service that beats, and says an older version',
  alarms: [{ alarm: 'BanyanHostLags', labels: {} }],
  alone: true,
  async strike(shop) {
    const foreign = await foreignCatalog(shop, 50);
    foreign.applies = false;
    return async () => {
      foreign.applies = true;
      await withoutForeign(shop, foreign);
    };
  },
};

/** More hashes at once than there is room for. */
export const hashes: Fault = {
  name: 'hashes',
  part: 'too many hashes or pictures at once',
  struck: '90 registrations at once, every two seconds',
  alarms: [{ alarm: 'BanyanModuleRefuses', labels: { module: 'users' } }],
  alone: true,
  async strike(shop) {
    let n = 0;
    const register = () => {
      n += 1;
      const email = `flood-${n}@rehearsal.example`;
      return shop.ask('POST', '/api/users', {
        body: { email, name: 'F', password: 'correct horse battery' },
      });
    };
    return again(2_000, () => Promise.allSettled(Array.from({ length: 90 }, register)));
  },
};

/** As many as are let in at once, and some. */
const FLOOD = 1_100;

export const overload: Fault = {
  name: 'overload',
  part: 'more requests than a module can do',
  struck: `a table locked, and ${FLOOD.toLocaleString('en-US')} orders at once`,
  alarms: [{ alarm: 'BanyanShedding', labels: { module: 'orders' } }],
  alone: true,
  // What is read of that store takes a scrape four seconds.
  mostScale: 2,
  async strike(shop) {
    const locker = new pg.Client({ connectionString: shop.database.url });
    locker.on('error', () => {});
    await locker.connect();
    await locker.query('BEGIN; LOCK TABLE orders.orders IN ACCESS EXCLUSIVE MODE');
    const agent = new Agent({ connections: FLOOD, pipelining: 1 });
    let over = false;
    const asked = Array.from({ length: FLOOD }, () => floodBy(shop, agent, () => over));
    return async () => {
      over = true;
      await locker.query('COMMIT');
      await locker.end();
      await Promise.all(asked);
      await agent.destroy();
    };
  },
};

/** One client, that orders again as soon as it is answered. */
async function floodBy(
  { url, token, productId }: AlarmShop,
  dispatcher: Agent,
  over: () => boolean,
): Promise<void> {
  const body = JSON.stringify({ lines: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' });
  while (!over()) {
    const headers = {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      'idempotency-key': randomUUID(),
    };
    await request(`${url}/api/orders`, { method: 'POST', dispatcher, headers, body })
      .then((answer) => answer.body.dump())
      .catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

export const addressFloods: Fault = {
  name: 'address',
  part: 'clients that ask without end',
  struck: '60 requests a second of one address, of 20 that it may',
  alarms: [{ alarm: 'BanyanClientsRefused', labels: { host: 'monolith' } }],
  async strike({ ask }) {
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    return again(250, () =>
      Promise.allSettled(
        Array.from({ length: 15 }, () => ask('GET', '/api/catalog/products?limit=1', { headers })),
      ),
    );
  },
};
