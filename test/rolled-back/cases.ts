// For every operation of every contract of the shop one request, made anew each time: with an account, a product or an order
// of its own, in the state in which the operation has something to do.
import type pg from 'pg';
import sharp from 'sharp';
import { v7 as uuidv7 } from 'uuid';
import type { Call } from '../../src/banyan/context/call.ts';
import { firstOperator, type Principal, type SessionUser } from '../../src/banyan/context/principal.ts';
import { unique } from '../unique.ts';
import type { Modules } from './modules.ts';

export interface Request {
  readonly input: unknown;
  readonly call?: Partial<Call>;
}

export type Case = () => Promise<Request>;

const PASSWORD = 'correct horse battery';
let addresses = 0;
/** One whose requests are counted, and nobody's else. */
const address = () => {
  addresses += 1;
  return `203.0.113.${addresses}`;
};

/** What the cases make for themselves, for real. */
class World {
  readonly #modules: Modules;
  readonly #database: pg.Client;

  constructor(modules: Modules, database: pg.Client) {
    this.#modules = modules;
    this.#database = database;
  }

  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever its contract says
  async ask(name: string, input: unknown, principal?: Principal, more: Partial<Call> = {}): Promise<any> {
    const result = await this.#modules.dispatch(name, input, {
      ...(principal ? { principal } : {}),
      ...more,
    });
    if ('problem' in result) throw new Error(`${name}: ${JSON.stringify(result.problem.body)}`);
    return result.output;
  }

  async rows<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<R[]> {
    return (await this.#database.query<R>(text, values)).rows;
  }

  #somebody: Promise<SessionUser> | undefined;

  /** A customer to whom nothing happens. */
  somebody(): Promise<SessionUser> {
    this.#somebody ??= this.customer(3).then(({ user }) => user);
    return this.#somebody;
  }

  async customer(sessions = 1): Promise<{ user: SessionUser; email: string; sessions: string[] }> {
    const email = `${unique('tried')}@example.com`;
    const { id } = await this.ask('users.register', { email, name: 'A Customer', password: PASSWORD });
    await this.rows(
      `INSERT INTO users.sessions (id, user_id, opened_at, expires_at)
       SELECT encode(substr(sha256(($1::text || n)::bytea), 1, 8), 'hex'), $1::uuid, now(), now() + interval '1 hour'
       FROM generate_series(1, $2::int) n`,
      [id, sessions],
    );
    const names = await this.rows<{ id: string }>('SELECT id FROM users.sessions WHERE user_id = $1', [id]);
    const [session] = names.map((one) => one.id);
    const user: SessionUser = { kind: 'user', id, role: 'customer', epoch: 1, session: session! };
    return { user, email, sessions: names.map((one) => one.id) };
  }

  async product(): Promise<string> {
    const { id } = await this.ask('catalog.createProduct', product(), firstOperator);
    return id;
  }

  async order(of?: SessionUser): Promise<{ id: string; user: SessionUser; productId: string }> {
    const user = of ?? (await this.somebody());
    const productId = await this.product();
    const { id } = await this.ask('orders.place', placing(productId), user);
    return { id, user, productId };
  }

  /** One that a coordinator drives, past the deadline of its step. */
  async stuckOrder(): Promise<string> {
    await this.ask('orders.setSagaStyle', { style: 'orchestration' }, firstOperator);
    const { id } = await this.order();
    await this.ask('orders.setSagaStyle', { style: 'choreography' }, firstOperator);
    await this.rows(
      `UPDATE orders.sagas SET deadline_at = now() - interval '1 hour', due_at = NULL WHERE id = $1`,
      [id],
    );
    return id;
  }
}

const product = () => ({
  sku: unique('tried'),
  name: 'A thing',
  description: 'For tests',
  priceCents: 1000,
  currency: 'EUR',
  stock: 100,
});
const placing = (productId: string) => ({
  idempotencyKey: unique('order'),
  lines: [{ productId, quantity: 2 }],
  paymentToken: 'tok_ok',
});
const internal = (name: string): Partial<Call> => ({ principal: { kind: 'module', name } });
const admin: Partial<Call> = { principal: firstOperator };
const facts = { totalCents: 2000, currency: 'EUR' };
const picture = async () => {
  const bytes = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#2a7' } })
    .png()
    .toBuffer();
  return { filename: 'picture.png', contentType: 'image/png', bytes };
};

/** By `module.operation`. */
export function casesOf(modules: Modules, database: pg.Client): Record<string, Case> {
  const world = new World(modules, database);
  return {
    ...ofUsers(world),
    ...ofCatalog(world),
    ...ofMedia(world),
    ...ofOrders(world),
    ...ofPayments(world),
    ...ofNotifications(world),
  };
}

function ofUsers(world: World): Record<string, Case> {
  const own =
    (input: unknown): Case =>
    async () => ({
      input,
      call: { principal: (await world.customer(3)).user },
    });
  return {
    'users.register': async () => ({
      input: { email: `${unique('tried')}@example.com`, name: 'Somebody', password: PASSWORD },
      call: { address: address() },
    }),
    'users.signIn': async () => ({
      input: { email: (await world.customer()).email, password: PASSWORD },
      call: { address: address() },
    }),
    'users.signOut': own({}),
    'users.sessions': async () => ({ input: {}, call: { principal: await world.somebody() } }),
    'users.endSession': async () => {
      const { user, sessions } = await world.customer(2);
      return { input: { id: sessions.find((one) => one !== user.session) }, call: { principal: user } };
    },
    'users.endOtherSessions': own({}),
    'users.me': async () => ({ input: {}, call: { principal: await world.somebody() } }),
    'users.changeMe': async () => ({
      input: {
        name: 'Another Name',
        email: `${unique('tried')}@example.com`,
        password: 'another horse battery',
        currentPassword: PASSWORD,
      },
      call: { principal: (await world.customer()).user, address: address() },
    }),
    'users.deleteMe': own({}),
    'users.administer': async () => ({
      input: { id: (await world.customer()).user.id, blocked: true },
      call: admin,
    }),
    'users.getUser': async () => ({
      input: { userId: (await world.somebody()).id },
      call: internal('orders'),
    }),
  };
}

function ofCatalog(world: World): Record<string, Case> {
  const wanted = async () => ({
    orderId: uuidv7(),
    userId: uuidv7(),
    lines: [{ productId: await world.product(), quantity: 2, name: 'A thing', unitCents: 1000 }],
    ...facts,
    paymentToken: 'sealed',
    saga: 'orchestration',
  });
  const reserved = async () => {
    const order = await wanted();
    await world.ask('catalog.reserve', order, { kind: 'module', name: 'orders' });
    return { input: { orderId: order.orderId }, call: internal('orders') };
  };
  return {
    'catalog.listProducts': async () => ({ input: { limit: 5 } }),
    'catalog.getProduct': async () => ({ input: { id: await world.product() } }),
    'catalog.createProduct': async () => ({ input: product(), call: admin }),
    'catalog.changeProduct': async () => ({ input: { id: await world.product(), stock: 3 }, call: admin }),
    'catalog.priceProducts': async () => ({
      input: { ids: [await world.product()] },
      call: internal('orders'),
    }),
    'catalog.reserve': async () => ({ input: await wanted(), call: internal('orders') }),
    'catalog.release': reserved,
    'catalog.sell': reserved,
  };
}

function ofMedia(world: World): Record<string, Case> {
  const upload = async () => ({
    input: {},
    call: { principal: await world.somebody(), upload: await picture(), address: address() },
  });
  return {
    'media.upload': upload,
    // As it was stored before metadata were taken off: whoever first shows it mends row and file.
    'media.show': async () => {
      const { call } = await upload();
      const { id } = await world.ask('media.upload', {}, call.principal, call);
      await world.rows('UPDATE media.pictures SET stripped = false WHERE id = $1', [id]);
      return { input: { id } };
    },
  };
}

function ofOrders(world: World): Record<string, Case> {
  const own = async () => {
    const { id, user } = await world.order();
    return { input: { id }, call: { principal: user } };
  };
  const stuck = async () => ({ input: { orderId: await world.stuckOrder() }, call: admin });
  return {
    'orders.place': async () => ({
      input: placing(await world.product()),
      call: { principal: await world.somebody() },
    }),
    'orders.list': async () => {
      const { user } = await world.order((await world.customer()).user);
      return { input: {}, call: { principal: user } };
    },
    'orders.show': own,
    'orders.cancel': own,
    'orders.timeline': own,
    // All of them have been late for long: none becomes so meanwhile.
    'orders.sagas': async () => {
      await world.rows(`UPDATE orders.saga_steps SET at = at - interval '1 hour'`, []);
      return { input: {}, call: admin };
    },
    'orders.setSagaStyle': async () => ({
      input: { style: 'choreography', changedBy: unique('ada') },
      call: admin,
    }),
    'orders.showSaga': stuck,
    'orders.retrySaga': stuck,
    'orders.cancelSaga': stuck,
  };
}

function ofPayments(world: World): Record<string, Case> {
  const order = () => ({ orderId: uuidv7(), userId: uuidv7(), ...facts });
  const charge = () => ({ ...order(), paymentToken: 'sealed' });
  return {
    'payments.list': async () => ({ input: {}, call: { principal: await world.somebody() } }),
    'payments.sandboxCharges': async () => ({ input: { limit: 3 }, call: admin }),
    'payments.charge': async () => ({ input: charge(), call: internal('orders') }),
    'payments.undo': async () => {
      const { paymentToken: _, ...asked } = charge();
      await world.ask(
        'payments.charge',
        { ...asked, paymentToken: 'sealed' },
        { kind: 'module', name: 'orders' },
      );
      return { input: asked, call: internal('orders') };
    },
  };
}

function ofNotifications(world: World): Record<string, Case> {
  return {
    'notifications.list': async () => ({ input: {}, call: { principal: await world.somebody() } }),
    'notifications.send': async () => ({
      input: { userId: (await world.somebody()).id, type: 'greeting', content: 'Good morning' },
      call: admin,
    }),
    'notifications.tellOfOrder': async () => ({
      input: { ended: 'confirmed', orderId: uuidv7(), userId: (await world.somebody()).id, ...facts },
      call: internal('orders'),
    }),
  };
}
