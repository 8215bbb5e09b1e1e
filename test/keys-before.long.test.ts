// A DATA_DIR of the version before, which had a signing key and derived the passwords of database roles from it: its
// sessions go on; its services keep their passwords as long as they are let in, and then these change once.
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSessionSigner } from '../src/banyan/identity/session-token.ts';
import { openEmbedded } from '../src/banyan/postgres/embedded.ts';
import { roleUrl } from '../src/banyan/postgres/roles.ts';
import { launch } from '../stage/launch.ts';

const signingKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
let dataDir: string;
let server: Awaited<ReturnType<typeof openEmbedded>>;
/** Of a role of the version before. */
let before: string;
let session: string;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'banyan-before-'));
  chmodSync(dataDir, 0o711);
  writeFileSync(join(dataDir, 'signing-key.json'), JSON.stringify(signingKey), { mode: 0o600 });
  server = await openEmbedded({ dataDir, log: pino({ level: 'silent' }) });
  before = roleUrl(server.url, `${new URL(server.url).password}|${signingKey.d}`, 'banyan_orders');
  const somebody = { id: '0199b2c4-0000-7000-8000-000000000001', role: 'customer', epoch: 0 };
  session = (await createSessionSigner(signingKey as never).sign(somebody)).token;
});
afterAll(async () => {
  await server?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function withMonolith(env: Record<string, string>, work: (url: string) => Promise<void>) {
  const given = { NODE_ENV: 'test', PORT: '0', DATA_DIR: dataDir, DATABASE_URL: server.url };
  const host = await launch({ env: { ...given, ...env } }).up();
  try {
    await work(host.url);
  } finally {
    await host.end();
  }
}

/** A new connection, as a service makes them all the time. */
async function connects(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    expect((error as { code: string }).code).toBe('28P01');
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

const statusOf = async (url: string) =>
  (await fetch(`${url}/api/orders`, { headers: { authorization: `Bearer ${session}` } })).status;

test('services keep their passwords while they are let in, and sessions go on after it, too', async () => {
  await withMonolith({ INTERNAL_KEY_LEGACY: '1' }, async (url) => {
    expect(await statusOf(url)).toBe(200);
    expect(await connects(before)).toBe(true);
  });
  for (let n = 0; n < 2; n += 1)
    await withMonolith({}, async (url) => {
      expect(await statusOf(url)).toBe(200);
      expect(await connects(before)).toBe(false);
    });
  // Once it was taken over nothing hangs on the file any more.
  rmSync(join(dataDir, 'signing-key.json'));
  await withMonolith({}, async (url) => expect(await statusOf(url)).toBe(200));
});
