// The shop that ladders of defective services are climbed in: PostgreSQL and a monolith, whose services have a defect when
// they are told to. Whatever it started is gone after `stop`, also when it comes only half up.
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent } from 'undici';
import { openServer } from '../../src/banyan/events/testing/server.ts';
import { createSessionSigner, type SessionSigner } from '../../src/banyan/identity/session-token.ts';
import { launch } from '../../stage/launch.ts';
import { type Reply as Answer, type Ask, asked } from '../asked.ts';
import { type Ends, started } from '../started.ts';

export interface Reply {
  readonly status: number;
  readonly by: string;
  readonly body: Answer['body'];
}

export interface DefectiveShop {
  readonly url: string;
  readonly adminToken: string;
  /** Of the monolith. */
  readonly dataDir: string;
  /** As its owner: no role of a module. */
  readonly databaseUrl: string;
  /** A customer who is registered, with two orders that are final. */
  readonly customer: { readonly token: string };
  /** Signs sessions of users whom nobody has registered: enough to look at orders of whom there are none. */
  readonly signer: SessionSigner;
  readonly product: string;
  ask(ask: Ask): Promise<Reply>;
  /** As the operator; throws what is not 2xx. */
  admin(method: NonNullable<Ask['method']>, path: string, body?: object): Promise<Reply['body']>;
  stop(): Promise<void>;
}

/** For all that has to happen before anything is rehearsed. */
const PATIENCE_MS = 60_000;
/** A defect may be that it answers late. */
const ANSWER_MS = 300_000;

export const openDefectiveShop = (signal: AbortSignal): Promise<DefectiveShop> =>
  started((ends) => build(ends, signal));

/** What was started is noted in `ends`, in the order of its start. */
async function build(ends: Ends, signal: AbortSignal) {
  const secret = () => randomBytes(24).toString('base64url');
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const server = await openServer();
  ends.push(() => server.stop());
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-defects-'));
  ends.push(async () => rmSync(dataDir, { recursive: true, force: true }));
  const adminToken = secret();
  const env = {
    NODE_ENV: 'production',
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: server.url,
    ADMIN_TOKEN: adminToken,
    ROOT_KEY: secret(),
    SIGNING_KEY: JSON.stringify(key),
  };
  const host = launch({ env, entry: fileURLToPath(new URL('monolith.ts', import.meta.url)) });
  ends.push(() => host.end());
  const { url } = await host.up(signal);
  const agent = new Agent({ connections: 32 });
  ends.push(() => agent.close());
  const ask: DefectiveShop['ask'] = async (one) => {
    const { status, headers, body } = await asked(agent, url, { timeoutMs: ANSWER_MS, ...one });
    return { status, by: String(headers['x-served-by']), body };
  };
  const admin: DefectiveShop['admin'] = async (method, path, body) => {
    const answer = await ask({ method, path, token: adminToken, ...(body && { body }) });
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const { id: product } = await admin('POST', '/api/catalog/products', {
    ...{ sku: 'defect', name: 'A thing', description: 'For a ladder', priceCents: 700 },
    ...{ currency: 'EUR', stock: 1_000 },
  });
  const customer = await customerWithOrders(ask, product);
  const databaseUrl = server.url;
  return {
    url,
    adminToken,
    dataDir,
    databaseUrl,
    customer,
    signer: createSessionSigner(key),
    product,
    ask,
    admin,
  };
}

async function customerWithOrders(ask: DefectiveShop['ask'], productId: string): Promise<{ token: string }> {
  const email = 'customer@example.com';
  const password = 'correct horse battery';
  await right(ask({ method: 'POST', path: '/api/users', body: { email, password, name: 'A Customer' } }));
  const session = await right(
    ask({ method: 'POST', path: '/api/users/sessions', body: { email, password } }),
  );
  const { token } = session.body as { token: string };
  for (let n = 0; n < 2; n += 1) {
    const body = { lines: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' };
    const headers = { 'idempotency-key': randomUUID() };
    await right(ask({ method: 'POST', path: '/api/orders', token, headers, body }));
  }
  // What still moves would differ between two looks at it.
  for (const ends = Date.now() + PATIENCE_MS; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const { body } = await right(ask({ path: '/api/orders?limit=5', token }));
    const states = (body.items as { status: string }[]).map(({ status }) => status);
    if (states.every((status) => status === 'confirmed')) return { token };
    if (Date.now() > ends) throw new Error(`the first orders are ${states.join(' and ')}`);
  }
}

async function right(asked: Promise<Reply>): Promise<Reply> {
  const answer = await asked;
  if (answer.status < 300) return answer;
  throw new Error(`${answer.status} by ${answer.by}: ${JSON.stringify(answer.body)}`);
}
