// The shop whose store of orders moves: one monolith or two, a process of orders, customers, and as many old orders as
// are asked for. `own`: on the embedded server, with another one beside it in DATA_DIR; `named`: on a server that
// DATABASE_URL names, with another one by STORE_B_URL. Whatever it started is gone after `stop`.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from 'undici';
import { createSessionSigner } from '../../../src/banyan/identity/session-token.ts';
import { type Env, type Launched, launch } from '../../../stage/launch.ts';
import { type Ask, asked, type Reply } from '../../asked.ts';
import { type Ends, started } from '../../started.ts';
import { embeddedIn, folder, ownServer, type Server } from './servers.ts';

export interface Monolith {
  readonly name: string;
  readonly host: Launched;
  /** The same once more, after it was killed. */
  again(): Promise<void>;
}

export interface Customer {
  readonly id: string;
  readonly token: string;
}

export interface StoreShop {
  readonly monoliths: readonly Monolith[];
  /** What the other server is called. */
  readonly other: string;
  readonly shared: Server;
  serverOf(name: string): Server;
  readonly adminToken: string;
  readonly customers: readonly Customer[];
  /** One of which there is plenty, and one that is sold out: an order of that is written, refused by catalog and closed. */
  readonly products: { readonly plenty: string; readonly none: string };
  ask(at: number, ask: Ask): Promise<Reply>;
  /** As the operator; throws what is not 2xx. */
  admin(method: NonNullable<Ask['method']>, path: string, body?: object): Promise<Reply['body']>;
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly kind: 'own' | 'named';
  readonly monoliths?: number;
  readonly extracted?: boolean;
  readonly customers?: number;
  readonly env?: Env;
}

const STOCK = 1_000_000_000;

export const openStage = (options: StageOptions): Promise<StoreShop> =>
  started((ends) => build(options, ends));

async function build(
  { kind, monoliths: count = 1, extracted = true, customers: many = 20, env: more = {} }: StageOptions,
  ends: Ends,
): Promise<Omit<StoreShop, 'stop'>> {
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const adminToken = randomBytes(24).toString('base64url');
  const servers = kind === 'named' ? [await ownServer(), await ownServer()] : [];
  for (const one of servers) ends.push(() => one.stop());
  const env = {
    ...{ NODE_ENV: 'production', PORT: '0', ADMIN_TOKEN: adminToken, SIGNING_KEY: JSON.stringify(key) },
    ROOT_KEY: randomBytes(24).toString('base64url'),
    ...(kind === 'named' ? { DATABASE_URL: servers[0]!.url, STORE_B_URL: servers[1]!.url } : {}),
    ...more,
  };
  const monoliths: (Monolith & { dataDir: string })[] = [];
  for (const name of ['monolith', 'monolith-b'].slice(0, count)) monoliths.push(await start(name, env, ends));
  const [{ dataDir }] = monoliths as [Monolith & { dataDir: string }];
  const shared = servers[0] ?? embeddedIn(dataDir);
  const other = kind === 'named' ? 'b' : 'own';
  const another = servers[1] ?? embeddedIn(join(dataDir, 'stores', 'orders'));
  const agent = new Agent({ connections: 64 });
  ends.push(() => agent.destroy());
  const ask: StoreShop['ask'] = (at, one) => asked(agent, monoliths[at]!.host.url, one);
  const admin: StoreShop['admin'] = async (method, path, body) => {
    const answer = await ask(0, {
      method,
      path,
      token: adminToken,
      ...(body ? { body } : {}),
      timeoutMs: 60_000,
    });
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const product = async (sku: string, stock: number): Promise<string> => {
    const about = {
      sku,
      name: 'A thing',
      description: 'For a rehearsal',
      priceCents: 700,
      currency: 'EUR',
      stock,
    };
    return (await admin('POST', '/api/catalog/products', about)).id;
  };
  const products = { plenty: await product('plenty', STOCK), none: await product('none', 0) };
  if (extracted) {
    await admin('PUT', '/admin/services/orders', { instances: 1 });
    await admin('PUT', '/admin/placements/orders', { placement: 'service' });
  }
  const serverOf = (name: string) => (name === 'shared' ? shared : another);
  const customers = await customersIn(shared, many, createSessionSigner(key));
  return { monoliths, other, shared, serverOf, adminToken, customers, products, ask, admin };
}

async function start(name: string, common: Env, ends: Ends) {
  const dataDir = folder();
  ends.push(async () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const up = () => launch({ env: { ...common, DATA_DIR: dataDir, INSTANCE_ID: name } }).up();
  const one = {
    name,
    dataDir,
    host: await up(),
    async again() {
      one.host = await up();
    },
  };
  ends.push(() => one.host.end());
  return one;
}

/** Rows of users, and tokens as users would sign them: no password is hashed for it. */
export async function customersIn(
  shared: Pick<Server, 'query'>,
  many: number,
  signer: ReturnType<typeof createSessionSigner>,
): Promise<Customer[]> {
  const rows = await shared.query<{ id: string }>(
    `INSERT INTO users.users (id, email, email_key, name, password_hash, role, created_at)
     SELECT uuidv7(), 'c' || n || '@rehearsal.example', 'c' || n || '@rehearsal.example', 'C', '-', 'customer', now()
     FROM generate_series(1, $1::int) n RETURNING id`,
    [many],
  );
  return Promise.all(
    rows.map(async ({ id }) => ({
      id,
      token: (await signer.sign({ id, role: 'customer', epoch: 1 })).token,
    })),
  );
}
