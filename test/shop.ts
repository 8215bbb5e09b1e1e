// The shop under test: one monolith on a database of its own, asked over HTTP like any client would.
// `inBothPlacements` runs the same tests twice: with the module in the process (every near call forced
// through the JSON codec) and with it extracted into a real process. It knows no module's insides.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type ShopOptions, type StartedShop, startShop } from './start-shop.ts';
import { unique } from './unique.ts';

export { unique };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // What a body is like is the very thing that tests assert.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}

export interface CallOptions {
  /** JSON, a FormData, or anything fetch takes. */
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Customer {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
}

export interface Shop {
  readonly url: string;
  readonly adminToken: string;
  readonly dataDir: string;
  readonly started: StartedShop;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Registers somebody new and signs them in. */
  customer(): Promise<Customer>;
  /** Adds a product; unnamed fields have defaults (stock 100, 1 000 cents EUR). */
  product(fields?: Record<string, unknown>): Promise<{ id: string; priceCents: number; name: string }>;
  /** Places an order with a fresh Idempotency-Key and answers the 202's body. */
  order(
    customer: Customer,
    lines: { productId: string; quantity: number }[],
    paymentToken?: string,
  ): Promise<{ id: string }>;
  /** Repeats until the expectation holds; the last failure is thrown after 20 s. */
  eventually<T>(expectation: () => Promise<T> | T): Promise<T>;
  /** The order once it is final. */
  final(customer: Customer, orderId: string): Promise<Answer['body']>;
}

export function clientOf(started: StartedShop): Shop {
  const { url, adminToken, dataDir } = started;
  const shop: Shop = {
    url,
    adminToken,
    dataDir,
    started,
    async call(method, path, { body, token, headers } = {}) {
      const json =
        body !== undefined &&
        !(body instanceof FormData) &&
        typeof body !== 'string' &&
        !(body instanceof Uint8Array);
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          ...(json ? { 'content-type': 'application/json' } : {}),
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...headers,
        },
        body: json ? JSON.stringify(body) : (body as RequestInit['body']),
      });
      const type = response.headers.get('content-type') ?? '';
      const bytes = Buffer.from(await response.arrayBuffer());
      const parsed = /json/.test(type) && bytes.length > 0 ? JSON.parse(bytes.toString()) : bytes;
      return { status: response.status, headers: response.headers, body: parsed };
    },
    async customer() {
      const email = `${unique('customer')}@example.com`;
      const password = 'correct horse battery';
      const registered = await shop.call('POST', '/api/users', {
        body: { email, name: 'A Customer', password },
      });
      expect(registered.status, JSON.stringify(registered.body)).toBe(201);
      const session = await shop.call('POST', '/api/users/sessions', { body: { email, password } });
      expect(session.status, JSON.stringify(session.body)).toBe(201);
      return { id: registered.body.id, email, password, token: session.body.token };
    },
    async product(fields = {}) {
      const body = {
        sku: unique('sku'),
        name: 'A thing',
        description: 'For tests',
        priceCents: 1000,
        currency: 'EUR',
        stock: 100,
        ...fields,
      };
      const created = await shop.call('POST', '/api/catalog/products', { token: adminToken, body });
      expect(created.status, JSON.stringify(created.body)).toBe(201);
      return created.body;
    },
    async order(customer, lines, paymentToken = 'tok_ok') {
      const headers = { 'idempotency-key': unique('order') };
      const placed = await shop.call('POST', '/api/orders', {
        token: customer.token,
        headers,
        body: { lines, paymentToken },
      });
      expect(placed.status, JSON.stringify(placed.body)).toBe(202);
      return placed.body;
    },
    eventually,
    final: (customer, orderId) =>
      eventually(async () => {
        const { body } = await shop.call('GET', `/api/orders/${orderId}`, { token: customer.token });
        expect(body.status).not.toBe('placed');
        return body;
      }),
  };
  return shop;
}

export async function eventually<T>(expectation: () => Promise<T> | T, withinMs = 20_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (let pause = 5; ; pause = Math.min(pause * 2, 100)) {
    try {
      return await expectation();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** The suite of a module, run in-process and extracted. `tests` gets a function, since the shop starts later. */
export function inBothPlacements(module: string, tests: (shop: () => Shop) => void): void {
  let shop: Shop | undefined;
  const current = () => {
    if (!shop) throw new Error('the shop is not started yet: use it inside a test or a hook');
    return shop;
  };
  describe(module, () => {
    beforeAll(async () => {
      shop = clientOf(await startShop());
    });
    afterAll(() => shop?.started.stop());

    describe('in-process', () => {
      tests(current);
    });
    describe('extracted', () => {
      beforeAll(() => current().started.extract(module));
      tests(current);
    });
  });
}

/** A shop for a suite that moves modules itself. */
export function withShop(tests: (shop: () => Shop) => void, options: ShopOptions = {}): void {
  let shop: Shop | undefined;
  beforeAll(async () => {
    shop = clientOf(await startShop(options));
  });
  afterAll(() => shop?.started.stop());
  tests(() => {
    if (!shop) throw new Error('the shop is not started yet: use it inside a test or a hook');
    return shop;
  });
}
