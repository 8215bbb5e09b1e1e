// Customers at work while modules move: requests of mixed kinds over kept-alive connections, each answer held
// against the one that the monolith gave before anything moved, and afterwards the books: every order there
// once, final, paid once, and the stock of what was sold.
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { type Dispatcher, Pool } from 'undici';
import { expect } from 'vitest';
import { type Customer, eventually, type Shop, unique } from './shop.ts';

type Method = Dispatcher.HttpMethod;

interface Ask {
  readonly kind: string;
  readonly method: Method;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly token?: string;
  /** Statuses that are right. */
  readonly right: readonly number[];
  /** The answer must be the one given before anything moved, headers and all. */
  readonly same?: boolean;
  readonly onBody?: (body: Buffer) => void;
}

interface Reply {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

/** One order as the client knows it: the key that it sent, and the ids that it was answered. */
interface Placed {
  readonly customer: Customer;
  readonly ids: Set<string>;
}

// These differ from one answer to the next, wherever it is made.
const FLEETING = new Set(['date', 'traceparent', 'x-served-by']);
const TOKENS = ['tok_ok', 'tok_ok', 'tok_ok', 'tok_ok', 'tok_ok', 'tok_flaky', 'tok_declined'];

export interface TrafficOptions {
  /** Only what may be sent twice: reads, and orders with their keys. */
  readonly repeatable?: boolean;
  /** How long a customer thinks between two requests; at 0 they take all of the machine, and flips wait for it. */
  readonly thinkMs?: number;
}

export class Traffic {
  readonly failures: string[] = [];
  readonly servedBy = new Map<string, number>();
  /** The slowest answer: its milliseconds, and whose it was. */
  slowest: { ms: number; of: string } = { ms: 0, of: '' };
  done = 0;
  readonly #shop: Shop;
  readonly #pool: Pool;
  readonly #connections: number;
  readonly #options: TrafficOptions;
  readonly #customers: Customer[] = [];
  readonly #products: { id: string; priceCents: number }[] = [];
  readonly #orders = new Map<string, Placed>();
  readonly #before = new Map<string, Reply>();
  readonly #asks: (() => Ask)[] = [];
  #uploads = 0;

  constructor(shop: Shop, connections: number, options: TrafficOptions = {}) {
    this.#shop = shop;
    this.#connections = connections;
    this.#options = options;
    this.#pool = new Pool(shop.url, { connections, pipelining: 1 });
  }

  /** What the traffic needs, made while everything is in the process, and the answers that must not change. */
  async prepare(): Promise<void> {
    const shop = this.#shop;
    const reader = await shop.customer();
    this.#customers.push(...(await Promise.all([shop.customer(), shop.customer(), shop.customer()])));
    for (let n = 0; n < 12; n += 1)
      this.#products.push(await shop.product({ stock: STOCK, priceCents: 100 + n }));
    const word = unique('shelf');
    const still = [await shop.product({ name: `${word} a` }), await shop.product({ name: `${word} b` })];
    const first = await shop.order(this.#customers[0]!, [{ productId: still[0]!.id, quantity: 1 }]);
    await shop.final(this.#customers[0]!, first.id);
    this.#orders.set('first', { customer: this.#customers[0]!, ids: new Set([first.id]) });
    const picture = await this.#picture();

    const same =
      (kind: string, path: string, right: number, more: Partial<Ask> = {}) =>
      (): Ask => ({
        kind,
        method: 'GET',
        path,
        right: [right],
        same: true,
        ...more,
      });
    const stable = [
      same('product', `/api/catalog/products/${still[0]!.id}`, 200),
      same('list', `/api/catalog/products?q=${word}&limit=1`, 200),
      same('no product', `/api/catalog/products/${reader.id}`, 404),
      same('bad input', '/api/catalog/products?limit=x', 422),
      same('picture', `/api/media/${picture}`, 200),
      same('thumb', `/api/media/${picture}?variant=thumb`, 200),
      same('range', `/api/media/${picture}`, 206, { headers: { range: 'bytes=10-99' } }),
      same('me', '/api/users/me', 200, { token: reader.token }),
      same('nobody', '/api/users/me', 401),
      same('an order', `/api/orders/${first.id}`, 200, { token: this.#customers[0]!.token }),
      same("another's order", `/api/orders/${first.id}`, 404, { token: reader.token }),
      same('payments', `/api/payments?orderId=${first.id}`, 200, { token: this.#customers[0]!.token }),
      same('mails', `/api/notifications?orderId=${reader.id}`, 200, { token: reader.token }),
    ];
    for (const ask of stable) this.#before.set(ask().kind, await this.#request(ask()));
    this.#asks.push(...stable, ...stable);
    this.#asks.push(
      () => this.#placeOrder(),
      () => this.#placeOrder(),
      () => this.#placeAgain(),
      () => this.#ownOrders(),
      () => this.#ownOrders(),
    );
    if (!this.#options.repeatable)
      this.#asks.push(
        () => this.#newProduct(),
        () => this.#upload(),
      );
  }

  /** Sends `requests` at least, and goes on until `enough`. */
  async run(requests: number, enough: () => boolean = () => true): Promise<void> {
    let sent = 0;
    const customer = async () => {
      // A hundred failures tell what one more would.
      while ((sent < requests || !enough()) && this.failures.length < 100) {
        const ask = this.#asks[sent % this.#asks.length]!();
        sent += 1;
        await this.#send(ask);
        if (this.#options.thinkMs) await pause(this.#options.thinkMs);
      }
    };
    await Promise.all(Array.from({ length: this.#connections }, customer));
  }

  /** Customers come for as long as the work takes. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let over = false;
    const working = this.run(0, () => over);
    try {
      return await work();
    } finally {
      over = true;
      await working;
    }
  }

  /** The books, once everything is decided. */
  async check(): Promise<{ orders: number; confirmed: number }> {
    const listed = await Promise.all(this.#customers.map((customer) => this.#final(customer)));
    const found = new Map(listed.flat().map((order) => [order.id, order]));
    const doubled = [...this.#orders]
      .filter(([, { ids }]) => ids.size !== 1)
      .map(([key, { ids }]) => [key, ...ids]);
    expect(doubled, 'keys with more or fewer than one order').toEqual([]);
    const known = [...this.#orders.values()].flatMap(({ ids }) => [...ids]);
    expect([...found.keys()].sort(), 'the orders there are').toEqual(known.sort());
    const sold = new Map<string, number>();
    let confirmed = 0;
    for (const order of found.values()) {
      const sum = order.lines.reduce((all, { quantity, unitCents }) => all + quantity * unitCents, 0);
      expect(order.totalCents, order.id).toBe(sum);
      expect(['confirmed', 'rejected'], JSON.stringify(order)).toContain(order.status);
      if (order.status === 'rejected') expect(order.reason, order.id).toBe('payment-declined');
      if (order.status !== 'confirmed') continue;
      confirmed += 1;
      for (const { productId, quantity } of order.lines)
        sold.set(productId, (sold.get(productId) ?? 0) + quantity);
    }
    await this.#expectStock(sold);
    await this.#expectCharges([...found.values()]);
    return { orders: found.size, confirmed };
  }

  /** What happened, for the message of a failure. */
  report(more: object = {}): string {
    const { done, slowest, servedBy } = this;
    return JSON.stringify({ done, slowest, servedBy: Object.fromEntries(servedBy), ...more });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #send(ask: Ask): Promise<void> {
    const started = performance.now();
    let of = ask.kind;
    try {
      const reply = await this.#request(ask);
      const fault = this.#faultOf(ask, reply);
      if (fault) this.failures.push(fault);
      else ask.onBody?.(reply.body);
      const by = String(reply.headers['x-served-by']);
      of += ` by ${by}`;
      this.servedBy.set(by, (this.servedBy.get(by) ?? 0) + 1);
    } catch (error) {
      this.failures.push(`${ask.kind}: ${(error as Error).message} (${(error as { code?: string }).code})`);
    }
    this.done += 1;
    const ms = Math.round(performance.now() - started);
    if (ms > this.slowest.ms) this.slowest = { ms, of };
  }

  #faultOf(ask: Ask, { status, headers, body }: Reply): string | undefined {
    const by = `${ask.kind} by ${headers['x-served-by']}`;
    if (!ask.right.includes(status)) return `${by}: ${status} ${body.subarray(0, 300)}`;
    const before = ask.same ? this.#before.get(ask.kind) : undefined;
    if (!before) return undefined;
    if (!body.equals(before.body)) return `${by}: another body ${body.subarray(0, 300)}`;
    const was = JSON.stringify(lasting(before.headers));
    const is = JSON.stringify(lasting(headers));
    return was === is ? undefined : `${by}: other headers ${is} than ${was}`;
  }

  async #request({ method, path, body, token, headers = {} }: Ask): Promise<Reply> {
    const {
      statusCode,
      headers: answered,
      body: stream,
    } = await this.#pool.request({
      method,
      path,
      body,
      headers: {
        ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      headersTimeout: 30_000,
    });
    return { status: statusCode, headers: answered, body: Buffer.from(await stream.arrayBuffer()) };
  }

  #placeOrder(): Ask {
    const n = this.#orders.size;
    const customer = this.#customers[n % this.#customers.length]!;
    const lines = [{ productId: this.#products[n % this.#products.length]!.id, quantity: 1 + (n % 3) }];
    if (n % 4 === 0)
      lines.push({ productId: this.#products[(n + 5) % this.#products.length]!.id, quantity: 1 });
    const body = JSON.stringify({ lines, paymentToken: TOKENS[n % TOKENS.length] });
    const key = unique('key');
    const ids = new Set<string>();
    this.#orders.set(key, { customer, ids });
    this.#bodies.push({ key, body, customer });
    return this.#place('order', key, body, customer, ids);
  }

  readonly #bodies: { key: string; body: string; customer: Customer }[] = [];

  /** The same order once more, perhaps while the first is on its way. */
  #placeAgain(): Ask {
    const { key, body, customer } = this.#bodies.at(-1)!;
    return this.#place('order again', key, body, customer, this.#orders.get(key)!.ids);
  }

  #place(kind: string, key: string, body: string, { token }: Customer, ids: Set<string>): Ask {
    return {
      kind,
      method: 'POST',
      path: '/api/orders',
      token,
      headers: { 'idempotency-key': key },
      body,
      right: [202],
      onBody: (answer) => ids.add((JSON.parse(answer.toString()) as { id: string }).id),
    };
  }

  #ownOrders(): Ask {
    const customer = this.#customers[this.done % this.#customers.length]!;
    return {
      kind: 'orders',
      method: 'GET',
      path: '/api/orders?limit=5',
      token: customer.token,
      right: [200],
    };
  }

  /** Not idempotent: sent once, so it must never meet a process that is going. */
  #newProduct(): Ask {
    const body = {
      sku: unique('sku'),
      name: 'New',
      description: '',
      priceCents: 1,
      currency: 'EUR',
      stock: 1,
    };
    const token = this.#shop.adminToken;
    const path = '/api/catalog/products';
    return { kind: 'new product', method: 'POST', path, token, body: JSON.stringify(body), right: [201] };
  }

  #upload(): Ask {
    this.#uploads += 1;
    const { body, type } = multipart(this.#bytes);
    const token = this.#customers[this.#uploads % this.#customers.length]!.token;
    const headers = { 'content-type': type };
    return { kind: 'upload', method: 'POST', path: '/api/media', token, headers, body, right: [201] };
  }

  #bytes: Buffer = Buffer.alloc(0);

  async #picture(): Promise<string> {
    const create = { width: 64, height: 48, channels: 3 as const, background: '#a72' };
    this.#bytes = await sharp({ create }).png().toBuffer();
    const { status, body } = await this.#request(this.#upload());
    expect(status, body.toString()).toBe(201);
    return (JSON.parse(body.toString()) as { id: string }).id;
  }

  async #json(path: string, token: string): Promise<{ items: Order[]; nextCursor: string | null }> {
    const { status, body } = await this.#request({ kind: 'check', method: 'GET', path, token, right: [200] });
    expect(status, body.toString()).toBe(200);
    return JSON.parse(body.toString());
  }

  /** All orders of the customer, when none of them waits any more. */
  #final({ token }: Customer): Promise<Order[]> {
    return eventually(async () => {
      const all: Order[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page = await this.#json(`/api/orders?limit=100${cursor && `&cursor=${cursor}`}`, token);
        all.push(...page.items);
        cursor = page.nextCursor;
      }
      expect(all.filter(({ status }) => status === 'placed').length, 'orders that still wait').toBe(0);
      return all;
    }, 120_000);
  }

  async #expectStock(sold: ReadonlyMap<string, number>): Promise<void> {
    await eventually(async () => {
      for (const { id } of this.#products) {
        const { body } = await this.#shop.call('GET', `/api/catalog/products/${id}`);
        expect(body.stock, `the stock of ${id}`).toBe(STOCK - (sold.get(id) ?? 0));
      }
    });
  }

  /** The card network's own ledger: one captured charge of the right sum per confirmed order, else none. */
  async #expectCharges(orders: readonly Order[]): Promise<void> {
    const ours = new Set(orders.map(({ id }) => id));
    const captured = new Map<string, number[]>();
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path = `/api/payments/sandbox/charges?limit=100${cursor && `&cursor=${cursor}`}`;
      const page = (await this.#json(path, this.#shop.adminToken)) as unknown as Charges;
      for (const { orderId, status, amountCents } of page.items)
        if (status === 'captured' && ours.has(orderId))
          captured.set(orderId, [...(captured.get(orderId) ?? []), amountCents]);
      cursor = page.nextCursor;
    }
    const wanted = orders
      .filter(({ status }) => status === 'confirmed')
      .map((one) => [one.id, [one.totalCents]]);
    expect(Object.fromEntries(captured)).toEqual(Object.fromEntries(wanted));
  }
}

const STOCK = 100_000;

interface Order {
  readonly id: string;
  readonly status: string;
  readonly reason?: string;
  readonly totalCents: number;
  readonly lines: { productId: string; quantity: number; unitCents: number }[];
}

interface Charges {
  readonly items: { orderId: string; status: string; amountCents: number }[];
  readonly nextCursor: string | null;
}

function lasting(headers: Record<string, unknown>): [string, unknown][] {
  return Object.entries(headers)
    .filter(([name]) => !FLEETING.has(name))
    .sort();
}

/** The body of an upload with one file, and its content type. */
export function multipart(file: Buffer): { body: Buffer; type: string } {
  const boundary = 'part-of-an-upload';
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="p.png"\r\ncontent-type: image/png\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { body, type: `multipart/form-data; boundary=${boundary}` };
}
