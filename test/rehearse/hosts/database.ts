// The embedded PostgreSQL on a host of its own, as an operator would run one for others: it listens on the host's addresses, and
// whoever comes needs a password. Guarantee: nothing of it is left after `stop`. It must not know what is in it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { initialise } from '../../../src/banyan/postgres/cluster-init.ts';
import { placeCluster } from '../../../src/banyan/postgres/cluster-place.ts';
import { passwordIn } from '../../../src/banyan/postgres/embedded-files.ts';
import { DATABASE } from '../../../src/banyan/postgres/embedded-find.ts';
import { findPostmaster, processOf } from '../../../src/banyan/postgres/postmaster.ts';
import { folder, type Server, serverAt } from '../store/servers.ts';
import type { NetHost } from './network.ts';

const PORT = 5432;
const START_MS = 30_000;

const settings = [
  'listen_addresses=*',
  `port=${PORT}`,
  'unix_socket_directories=',
  'max_connections=400',
  'wal_level=logical',
  'jit=off',
  'timezone=UTC',
];

export interface HostedServer extends Server {
  /** Of everybody on the network: by its name. @param role with a password; the superuser unless said. */
  urlFor(role?: string, password?: string): string;
  stop(): Promise<void>;
}

export async function startServer(host: NetHost, network: string): Promise<HostedServer> {
  const dataDir = folder();
  const password = passwordIn(dataDir);
  const place = placeCluster(dataDir, password);
  await initialise(place, password, () => {});
  appendFileSync(join(place.cluster, 'pg_hba.conf'), `host all all ${network} scram-sha-256\n`);
  const { uid, gid, ...how } = processOf(place);
  // Root enters the namespace, nobody runs the server.
  const as = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const [command, ...words] = [...host.words, ...as, join(place.native, 'bin', 'postgres')];
  const args = ['-D', place.cluster, ...settings.flatMap((one) => ['-c', one])];
  let said = '';
  const child = spawn(command!, [...words, ...args], {
    ...how,
    env: { ...how.env, PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-4_000);
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    }
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  const deadline = performance.now() + START_MS;
  while (findPostmaster(place.cluster)?.state !== 'ready') {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`PostgreSQL did not start on ${host.name}: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const at = (address: string, database: string, role = 'postgres', word = password) =>
    `postgres://${role}:${word}@${address}:${PORT}/${database}`;
  await serverAt(() => at(host.address, 'postgres')).query(`CREATE DATABASE ${DATABASE}`);
  return {
    ...serverAt(() => at(host.address, DATABASE)),
    get url() {
      return at(host.address, DATABASE);
    },
    get pid() {
      return child.pid;
    },
    urlFor: (role, word) => at(host.domain, DATABASE, role, word),
    stop,
  };
}
