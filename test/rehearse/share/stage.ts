// The shop that is rehearsed on: PostgreSQL, two monoliths, a gateway alone, and a process each of catalog and orders,
// all real, as in production. Whatever it started is gone after `stop`, also when it comes only half up.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { Agent } from 'undici';
import { openServer } from '../../../src/banyan/events/testing/server.ts';
import { createSessionSigner, type SessionSigner } from '../../../src/banyan/identity/session-token.ts';
import { collectStats, liveHosts } from '../../../src/banyan/placement/collect-stats.ts';
import { type ControlStore, createControlStore } from '../../../src/banyan/placement/store.ts';
import type { Collected } from '../../../src/banyan/telemetry/stats-sums.ts';
import { type Env, launch } from '../../../stage/launch.ts';
import { tokensAs } from '../../../stage/ring.ts';
import { type Ask, asked, type Reply } from '../../asked.ts';
import { type Ends, started } from '../../started.ts';
import { MODULES, type SharedModule } from './expected.ts';

/** A host that clients ask. */
export interface Entrance {
  readonly name: string;
  readonly url: string;
}

export interface RehearsedShop {
  readonly entrances: readonly Entrance[];
  readonly databaseUrl: string;
  readonly signer: SessionSigner;
  /** All that is sold, and how much there was of it. */
  readonly product: string;
  readonly stock: ReadonlyMap<string, number>;
  ask(entrance: Entrance, ask: Ask): Promise<Reply>;
  /** As the operator, at the first monolith; throws what is not 2xx. */
  admin(method: 'POST' | 'PUT', path: string, body: object): Promise<Reply['body']>;
  /** Until it is taken. Says how often it was asked for again, and whether every host has it. */
  share(module: SharedModule, percent: number): Promise<{ deferred: number; lagging: boolean }>;
  /** What every host counted until now. */
  counted(): Promise<Collected>;
  stop(): Promise<void>;
}

const STOCK = 1_000_000_000;
const PATIENCE_MS = 300_000;
const opened = /"PORT is open at (http:\S+?)"/;

export const openShop = (signal: AbortSignal): Promise<RehearsedShop> =>
  started((ends) => build(ends, signal));

/** What was started is noted in `ends`, in the order of its start. */
async function build(ends: Ends, signal: AbortSignal) {
  const secret = () => randomBytes(24).toString('base64url');
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const server = await openServer();
  ends.push(() => server.stop());
  const common = {
    NODE_ENV: 'production',
    PORT: '0',
    DATABASE_URL: server.url,
    ADMIN_TOKEN: secret(),
    ROOT_KEY: secret(),
    SIGNING_KEY: JSON.stringify(key),
  };
  const start = async (name: string, extra: Env = {}): Promise<Entrance> => {
    const folder = mkdtempSync(join(tmpdir(), 'banyan-rehearsal-'));
    ends.push(async () => rmSync(folder, { recursive: true, force: true }));
    const env = { ...common, DATA_DIR: folder, INSTANCE_ID: name, ...extra };
    const says = extra.MODULES === 'none' ? (output: string) => opened.exec(output)?.[1] : undefined;
    const host = launch({ env, ...(says ? { says } : {}) });
    ends.push(() => host.end());
    return { name, url: (await host.up(signal)).url };
  };
  // The first one prepares the database.
  const first = await start('monolith');
  const entrances = [
    first,
    ...(await Promise.all([start('monolith-b'), start('gateway-1', { MODULES: 'none' })])),
  ];
  const agent = new Agent({ connections: 32 });
  ends.push(() => agent.close());
  const ask: RehearsedShop['ask'] = ({ url }, one) => asked(agent, url, { timeoutMs: PATIENCE_MS, ...one });
  const admin = async (method: 'POST' | 'PUT', path: string, body: object) => {
    const answer = await ask(first, { method, path, body, token: common.ADMIN_TOKEN });
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await Promise.all(MODULES.map((module) => admin('PUT', `/admin/services/${module}`, { instances: 1 })));
  const { id: product } = await admin('POST', '/api/catalog/products', {
    sku: 'rehearsed',
    name: 'A thing',
    description: 'For a rehearsal',
    priceCents: 700,
    currency: 'EUR',
    stock: STOCK,
  });
  const store = createControlStore({ url: server.url, log: pino({ level: 'silent' }) });
  ends.push(() => store.close());
  const tokens = await tokensAs({ databaseUrl: server.url, rootKey: common.ROOT_KEY }, 'monolith');
  return {
    entrances,
    databaseUrl: server.url,
    signer: createSessionSigner(key),
    product,
    stock: new Map([[product, STOCK]]),
    ask,
    admin,
    share: (module: SharedModule, percent: number) => share(ask, first, common.ADMIN_TOKEN, module, percent),
    counted: () => countedBy(store, tokens),
  };
}

/** As the command line does it. */
async function share(
  ask: RehearsedShop['ask'],
  entrance: Entrance,
  token: string,
  module: SharedModule,
  percent: number,
): Promise<{ deferred: number; lagging: boolean }> {
  const placement = percent === 0 ? 'in-process' : percent === 100 ? 'service' : 'canary';
  const body = placement === 'canary' ? { placement, percent } : { placement };
  for (let deferred = 0; ; deferred += 1) {
    const answer = await ask(entrance, { method: 'PUT', path: `/admin/placements/${module}`, token, body });
    if (answer.status === 200) return { deferred, lagging: answer.body.lagging !== undefined };
    // On a machine with much else to do a store may not answer for 2 s, or a heartbeat be late: it is asked for again.
    const later = answer.status === 503 || answer.body.code === 'no-healthy-instance';
    if (!later || deferred === 30)
      throw new Error(`${module} to ${percent} percent: ${answer.status} ${JSON.stringify(answer.body)}`);
    await pause(500);
  }
}

async function countedBy(
  store: ControlStore,
  tokens: Parameters<typeof collectStats>[1],
): Promise<Collected> {
  const found = await collectStats(liveHosts(await store.read()), tokens);
  if (found.silent.length > 0) throw new Error(`no counts of ${JSON.stringify(found.silent)}`);
  return found;
}
