// What the tests of bad input are made of: a request as it goes over the wire (also one that no well-behaved
// client can send), the world that the requests speak of, and what every refusal must look like.
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { JWK } from 'jose';
import pg from 'pg';
import sharp from 'sharp';
import { expect } from 'vitest';
import { createSessionSigner } from '../src/banyan/identity/session-token.ts';
import { type Customer, eventually, type Shop, unique } from './shop.ts';

/** What is sent: a request, or bytes as they are on a connection of their own. */
export interface Sent {
  readonly method?: string;
  /** Goes out as it stands: nothing is normalised. */
  readonly path?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  /** Sends the body in chunks, without a Content-Length. */
  readonly chunked?: boolean;
  /** The whole exchange, by hand. */
  readonly raw?: string | Buffer;
  /** Ends the client's half of a raw connection behind its bytes. */
  readonly cutOff?: boolean;
}

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // What a body is like is the very thing that tests assert.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}

/** One line of the table. */
export interface Case {
  readonly name: string;
  readonly send: (world: World) => Sent;
  readonly status: number;
  /** The paths of `errors`, in any order; absent: the answer has no `errors`. */
  readonly paths?: readonly string[];
  /** The code of the problem, where the status alone could be another mistake's. */
  readonly code?: string;
  /** More that must hold, also for an answer that is no refusal. */
  readonly check?: (got: Got, world: World) => void;
}

/** What the requests speak of; made once, before any bad request. */
export interface World {
  readonly shop: Shop;
  readonly customer: Customer;
  readonly other: Customer;
  /** Was deleted; their session token is revoked. */
  readonly gone: Customer;
  readonly admin: string;
  /** A session with role admin. */
  readonly adminSession: string;
  readonly product: { id: string; sku: string };
  readonly dear: { id: string };
  readonly inDollars: { id: string };
  /** Placed by `other`. */
  readonly foreignOrder: string;
  /** Used by `customer` for two of `product`. */
  readonly usedKey: string;
  readonly picture: string;
  readonly png: Buffer;
  readonly signingKey: JWK;
  readonly expired: string;
}

export async function makeWorld(shop: Shop): Promise<World> {
  const [customer, other, gone] = await Promise.all([shop.customer(), shop.customer(), shop.customer()]);
  const signingKey = JSON.parse(shop.started.env.SIGNING_KEY!) as JWK;
  const { token: expired } = await createSessionSigner(signingKey, -60).sign({
    id: customer.id,
    role: 'customer',
    epoch: 0,
  });
  const sku = unique('sku');
  const [product, dear, inDollars] = await Promise.all([
    shop.product({ sku }),
    shop.product({ priceCents: 9_000_000_000 }),
    shop.product({ currency: 'USD' }),
  ]);
  const usedKey = unique('key');
  const lines = [{ productId: product.id, quantity: 2 }];
  const placed = await shop.call('POST', '/api/orders', {
    token: customer.token,
    headers: { 'idempotency-key': usedKey },
    body: { lines, paymentToken: 'tok_ok' },
  });
  expect(placed.status).toBe(202);
  const foreignOrder = (await shop.order(other, lines)).id;
  const png = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#a0c0e0' } })
    .png()
    .toBuffer();
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(png)], { type: 'image/png' }), 'a.png');
  const picture = await shop.call('POST', '/api/media', { token: customer.token, body: form });
  expect(picture.status).toBe(201);
  expect((await shop.call('DELETE', '/api/users/me', { token: gone.token })).status).toBe(204);
  await Promise.all([shop.final(customer, placed.body.id), shop.final(other, foreignOrder)]);
  return {
    shop,
    customer,
    other,
    gone,
    admin: shop.adminToken,
    adminSession: await signInAsAdmin(shop),
    product: { id: product.id, sku },
    dear,
    inDollars,
    foreignOrder,
    usedKey,
    picture: picture.body.id,
    png,
    signingKey,
    expired,
  };
}

async function signInAsAdmin(shop: Shop): Promise<string> {
  const seeds = JSON.parse(readFileSync(join(shop.dataDir, 'seeds.json'), 'utf8'));
  const admin = (seeds.users ?? seeds).find((user: { email: string }) => user.email.startsWith('admin@'));
  const session = await shop.call('POST', '/api/users/sessions', {
    body: { email: admin.email, password: admin.password },
  });
  expect(session.status, JSON.stringify(session.body)).toBe(201);
  return session.body.token;
}

const modules = ['users', 'catalog', 'media', 'orders', 'payments', 'notifications', 'card_network'];

/** Rows by table, of every module; leases and marks that background work renews are no rows of anybody's. */
export async function countRows(databaseUrl: string): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ table: string; count: string }>(
      `SELECT t.table_schema || '.' || t.table_name AS table,
         (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.%I', t.table_schema, t.table_name),
           false, true, '')))[1]::text AS count
       FROM information_schema.tables t
       WHERE t.table_schema = ANY ($1) AND t.table_type = 'BASE TABLE'
         AND t.table_name NOT IN ('event_lease', '_prisma_migrations', 'limit_count', 'limit_guess')
       ORDER BY 1`,
      [modules],
    );
    return Object.fromEntries(rows.map((row) => [row.table, Number(row.count)]));
  } finally {
    await client.end();
  }
}

/** Waits until what the world's own orders and accounts caused has happened: outboxes empty, nothing added. */
export async function settled(shop: Shop, { customer, other }: World): Promise<Record<string, number>> {
  await eventually(async () => {
    for (const { token } of [customer, other]) {
      const me = await shop.call('GET', '/api/users/me', { token });
      // A welcome, and a word on the order.
      expect(me.body.notificationCount).toBe(2);
    }
  });
  return eventually(async () => {
    const before = await countRows(shop.started.databaseUrl);
    for (const [table, count] of Object.entries(before))
      if (table.endsWith('.event_outbox')) expect(count, table).toBe(0);
    expect(await countRows(shop.started.databaseUrl)).toEqual(before);
    return before;
  });
}

export function send(base: string, sent: Sent): Promise<Got> {
  return sent.raw === undefined ? sendRequest(base, sent) : sendRaw(base, sent.raw, sent.cutOff ?? false);
}

function sendRequest(base: string, sent: Sent): Promise<Got> {
  const { method = 'GET', path = '/', token, headers = {}, body, chunked = false } = sent;
  const json = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body);
  const bytes = body === undefined ? undefined : Buffer.from(json ? JSON.stringify(body) : (body as Buffer));
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    let answered = false;
    const request = httpRequest(
      {
        hostname,
        port,
        method,
        path,
        agent: false,
        headers: {
          ...(json ? { 'content-type': 'application/json' } : {}),
          ...(bytes && !chunked ? { 'content-length': String(bytes.length) } : {}),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      },
      (response) => {
        answered = true;
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () =>
          resolve(
            got(response.statusCode!, response.headers as Record<string, string>, Buffer.concat(parts)),
          ),
        );
      },
    );
    // A server that refuses a body early may close while the rest is still being sent.
    request.on('error', (error) => answered || reject(error));
    if (bytes && chunked) {
      for (let at = 0; at < bytes.length; at += 65_536) request.write(bytes.subarray(at, at + 65_536));
      request.end();
    } else {
      request.end(bytes);
    }
  });
}

/** Resolves with the first answer on the connection; status 0 when it closed without one. */
export function sendRaw(base: string, bytes: string | Buffer, cutOff: boolean): Promise<Got> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const parts: Buffer[] = [];
    const end = (): void => {
      socket.destroy();
      resolve(parse(Buffer.concat(parts)));
    };
    socket.on('connect', () => (cutOff ? socket.end(bytes) : socket.write(bytes)));
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      if (isComplete(Buffer.concat(parts))) end();
    });
    socket.on('end', end);
    socket.on('error', end);
  });
}

function isComplete(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  const head = text.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, Math.max(head, 0)));
  if (head >= 0 && text.startsWith('HTTP/1.1 101 ')) return true;
  return head >= 0 && length !== null && bytes.length >= head + 4 + Number(length[1]);
}

function parse(bytes: Buffer): Got {
  const [head = '', ...rest] = bytes.toString('latin1').split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const body = Buffer.from(rest.join('\r\n\r\n'), 'latin1');
  return got(Number(first.split(' ')[1] ?? 0), Object.fromEntries(headers), body);
}

function got(status: number, headers: Got['headers'], bytes: Buffer): Got {
  const text = bytes.toString();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { status, headers, text, body };
}

/** What would tell a stranger of our insides: stacks, statements, paths of files, names of libraries. */
const insides =
  /node_modules|\.[cm]?[jt]s:\d|\n\s+at |\b(SELECT|INSERT|UPDATE|DELETE) .*\b(FROM|INTO|SET)\b|prisma|sqlstate|relation "|\/(tmp|work|root|home|var|etc)\/|FST_ERR|sharp|libvips|busboy|TypeError/i;

/** RFC 9457, with the paths that are wrong and nothing of our insides. */
export function expectProblem(got: Got, status: number, paths: readonly string[] | undefined): void {
  expect(got.status, got.text).toBe(status);
  expect(got.headers['content-type'], got.text).toMatch(/^application\/problem\+json(;|$)/);
  expect(Object.keys(got.body).sort()).toEqual(
    expect.arrayContaining(['code', 'status', 'title', 'type'].sort()),
  );
  expect(got.body).toMatchObject({ status, type: expect.stringMatching(/^urn:banyan:problem:/) });
  for (const key of Object.keys(got.body))
    expect(['type', 'title', 'status', 'code', 'detail', 'errors', 'module', 'reason']).toContain(key);
  const errors = got.body.errors as { path: string; message: string }[] | undefined;
  expect(errors?.map(({ path }) => path).sort(), got.text).toEqual(paths && [...paths].sort());
  for (const error of errors ?? [])
    expect(error).toEqual({ path: expect.any(String), message: expect.stringMatching(/\S/) });
  if (status === 401) expect(got.headers['www-authenticate']).toBe('Bearer');
  expect(got.text).not.toMatch(insides);
}

const compared = [
  'content-type',
  'allow',
  'www-authenticate',
  'retry-after',
  'content-range',
  'cache-control',
];

/** What must be the same wherever the module is. */
export function essence({ status, headers, text, body }: Got): object {
  const kept = compared.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]));
  return { status, headers: Object.fromEntries(kept), body: body ?? text };
}
