// The shop that a ladder is climbed in: PostgreSQL and one monolith, as in production, which starts the service itself when
// it is asked to; its products do not run out, and of its customers some are in the smallest share that is climbed.
// Whatever it started is gone after `stop`, also when it comes only half up.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stock } from '../../../compare/workload/record.ts';
import { openServer } from '../../../src/banyan/events/testing/server.ts';
import { bucketOf } from '../../../src/banyan/routing/bucket.ts';
import { launch } from '../../../stage/launch.ts';
import { type Ends, started } from '../../started.ts';

export interface ClimbedShop {
  readonly url: string;
  readonly databaseUrl: string;
  readonly adminToken: string;
  readonly rootKey: string;
  readonly stock: Stock;
  /** By product, how much there was of it. */
  readonly amounts: ReadonlyMap<string, number>;
  /** Of the customers, how many are in the smallest share. */
  readonly inShare: number;
  /** As the operator; throws what is not 2xx. */
  admin<T>(method: string, path: string, body?: object): Promise<T>;
  stop(): Promise<void>;
}

const AMOUNT = 100_000_000;
const CUSTOMERS = 30;
const MOST_REGISTERED = 800;
const AT_ONCE = 4;
/** In so many of all draws one of the smallest share is drawn: few as they are, hardly a request would be theirs. */
const DRAWS = 0.3;

interface Customer {
  readonly id: string;
  readonly token: string;
}

export interface Share {
  readonly module: string;
  /** The smallest. */
  readonly percent: number;
}

export const openClimbedShop = (share: Share, signal: AbortSignal): Promise<ClimbedShop> =>
  started((ends) => build(ends, share, signal));

async function build(ends: Ends, { module, percent }: Share, signal: AbortSignal) {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-rehearsal-'));
  ends.push(async () => rmSync(folder, { recursive: true, force: true }));
  const server = await openServer();
  ends.push(() => server.stop());
  const secret = () => randomBytes(24).toString('base64url');
  const env = {
    NODE_ENV: 'production',
    PORT: '0',
    DATABASE_URL: server.url,
    DATA_DIR: folder,
    ADMIN_TOKEN: secret(),
    ROOT_KEY: secret(),
  };
  const host = launch({ env });
  ends.push(() => host.end());
  const { url } = await host.up(signal);
  const admin = asOperator(url, env.ADMIN_TOKEN, signal);
  const products = await productsOf(admin);
  const [near, far] = await customers(admin, (id) => bucketOf(module, id) < percent);
  const repeat = Math.ceil((DRAWS * near.length) / ((1 - DRAWS) * far.length));
  return {
    url,
    databaseUrl: server.url,
    adminToken: env.ADMIN_TOKEN,
    rootKey: env.ROOT_KEY,
    stock: {
      products: products.map(({ id }) => id),
      pictures: products.flatMap(({ imageId }) => (imageId === null ? [] : [imageId])),
      words: [],
      customers: [...near, ...Array.from({ length: repeat }, () => far).flat()].map(({ token }) => token),
      adminToken: env.ADMIN_TOKEN,
    },
    amounts: new Map(products.map(({ id }) => [id, AMOUNT])),
    inShare: far.length,
    admin,
  };
}

type Admin = ClimbedShop['admin'];

function asOperator(url: string, token: string, signal: AbortSignal): Admin {
  return async <T>(method: string, path: string, body?: object) => {
    const answer = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  };
}

/** The seeds. */
async function productsOf(admin: Admin) {
  const { items } = await admin<{ items: { id: string; imageId: string | null }[] }>(
    'GET',
    '/api/catalog/products?limit=50',
  );
  for (const { id } of items) await admin('PATCH', `/api/catalog/products/${id}`, { stock: AMOUNT });
  return items;
}

/** Those outside of the share and those in it: some of each. */
async function customers(
  admin: Admin,
  isIn: (id: string) => boolean,
): Promise<[readonly Customer[], readonly Customer[]]> {
  const [near, far]: [Customer[], Customer[]] = [[], []];
  let registered = 0;
  const enough = () => near.length >= CUSTOMERS && far.length > 0;
  const some = async () => {
    while (!enough() && registered < MOST_REGISTERED) {
      registered += 1;
      const email = `customer-${registered}@rehearsal.example`;
      const password = randomBytes(12).toString('base64url');
      const { id } = await admin<{ id: string }>('POST', '/api/users', {
        email,
        password,
        name: 'A Customer',
      });
      const where = isIn(id) ? far : near;
      if (where === near && near.length >= CUSTOMERS) continue;
      const { token } = await admin<{ token: string }>('POST', '/api/users/sessions', { email, password });
      where.push({ id, token });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  if (!enough())
    throw new Error(`none of ${registered} customers is in the smallest share: give a larger one`);
  return [near, far];
}
