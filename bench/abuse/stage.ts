// The product as the abused one: of this checkout, or of another that is installed beside it, so that both can be
// asked in one run. A monolith as `npm start` runs it, on a data folder of its own that goes with it.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launch } from '../../stage/launch.ts';

export interface Product {
  /** On loopback. */
  readonly url: string;
  readonly pid: number;
  ask(method: string, path: string, given?: Given): Promise<{ status: number; body: string }>;
  /** As the operator. Throws what is not 2xx. */
  admin(method: string, path: string, body: object): Promise<unknown>;
  /** The token of a new customer. */
  customer(): Promise<string>;
  /** Ids of products that may be ordered as often as one likes. */
  products(count: number): Promise<string[]>;
  /** The process that serves a module once it is extracted. */
  extract(module: string): Promise<number>;
  stop(): Promise<void>;
}

export interface Given {
  readonly token?: string;
  readonly body?: object | string;
}

/** Whoever has not answered by then hangs: nothing here is to wait for ever. */
const TIMEOUT_MS = 60_000;

/** @param folder a checkout with its dependencies installed. */
export async function startProduct(folder: string): Promise<Product> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-abuse-'));
  chmodSync(dataDir, 0o711);
  const node = join(folder, 'node_modules/.bin/node');
  const cache = pathToFileURL(join(folder, 'src/banyan/compile-cache.mjs')).href;
  const host = await launch({
    folder,
    node: [node, '--import', cache],
    output: 'errors',
    // On every address, for those who come from another one than loopback.
    env: { NODE_ENV: 'production', DATA_DIR: dataDir, PORT: '0', HOST: '0.0.0.0' },
  }).up();
  const { port } = new URL(host.url);
  const url = `http://127.0.0.1:${port}`;
  const adminToken = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();

  const ask: Product['ask'] = async (method, path, { token, body } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      body: typeof body === 'object' ? JSON.stringify(body) : body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, body: await response.text() };
  };
  const wanted = async (method: string, path: string, given: Given) => {
    const { status, body } = await ask(method, path, given);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${body}`);
    return body === '' ? undefined : JSON.parse(body);
  };
  const admin: Product['admin'] = (method, path, body) => wanted(method, path, { token: adminToken, body });
  let made = 0;

  return {
    url,
    pid: host.pid,
    ask,
    admin,
    async customer() {
      made += 1;
      const email = `abused-${made}@example.com`;
      const password = `only for the bench ${made}`;
      await wanted('POST', '/api/users', { body: { email, password, name: 'Abused' } });
      const session = await wanted('POST', '/api/users/sessions', { body: { email, password } });
      return session.token as string;
    },
    async products(count) {
      const one = { name: 'Fig', description: 'Abused', priceCents: 100, currency: 'EUR', stock: 1_000_000 };
      return Promise.all(
        Array.from({ length: count }, async (_, n) => {
          const body = { sku: `ABUSE-${n}`, ...one };
          return ((await admin('POST', '/api/catalog/products', body)) as { id: string }).id;
        }),
      );
    },
    async extract(module) {
      await admin('PUT', `/admin/services/${module}`, { instances: 1 });
      const placed = await admin('PUT', `/admin/placements/${module}`, { placement: 'service' });
      return (placed as { instances: { pid: number }[] }).instances[0]!.pid;
    },
    async stop() {
      // One that was brought down hangs on its way out, too: there is a bound.
      await host.end();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
