// Once per run: a real PostgreSQL on a temporary folder, and in it a database made ready by a monolith itself
// (migrations, seeds), which every suite copies; or several, of which each worker uses its own: the roles of a server and
// their passwords and connection limits are shared by all of its databases. A run that is told to end takes its hosts and servers with it: vitest
// alone would be gone a millisecond later, and they would stay.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { endAll } from '../scripts/end-all.mjs';
import { openEmbedded } from '../src/banyan/postgres/embedded.ts';
import { launch } from '../stage/launch.ts';
import type { TestGround } from './start-shop.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  endInOrder();
  const { servers = 1 } = project.getProvidedContext();
  const opened = await Promise.allSettled(Array.from({ length: servers }, open));
  const made = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const end = async () => {
    await Promise.all(made.map((one) => one.end()));
  };
  const failed = opened.find((one) => one.status === 'rejected');
  if (failed) {
    await end();
    throw failed.reason;
  }
  project.provide(
    'grounds',
    made.map(({ ground }) => ground),
  );
  return end;
}

async function open(): Promise<{ ground: TestGround; end(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-ground-'));
  // Walkable, so that the server's user (nobody, when we are root) needs no folder elsewhere.
  chmodSync(dataDir, 0o711);
  const server = await openEmbedded({ dataDir, log: pino({ level: 'warn' }) });
  const secret = () => randomBytes(24).toString('base64url');
  const ground: TestGround = {
    template: server.url,
    dataDir,
    adminToken: secret(),
    rootKey: secret(),
    signingKey: JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
  };
  const env = {
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: server.url,
    ADMIN_TOKEN: ground.adminToken,
    ROOT_KEY: ground.rootKey,
    SIGNING_KEY: ground.signingKey,
  };
  const end = async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const host = await launch({ env }).up();
    await host.end();
  } catch (error) {
    await end();
    throw error;
  }
  return { ground, end };
}

/** In place of what vitest does about a signal: it exits, and leaves what its workers have started. */
function endInOrder(): void {
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => void endAll().finally(() => process.exit(128 + number)));
  }
}
