// Where and of what a comparison was made: machine, commit, versions. What cannot be told is null, never guessed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { KAFKA_VERSION } from '../src/banyan/events/testing/broker.ts';
import { createClient } from '../src/banyan/postgres/connections.ts';
import type { Report } from './format/report.ts';
import type { Pinning } from './load/generator-process.ts';
import { root } from './topology/instance.ts';

export function machineOf(pinning: Pinning): Report['machine'] {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    load1: loadavg()[0]!,
    pinning: pinning.words,
  };
}

export function commitOf(): Report['commit'] {
  const git = (...words: string[]) => spawnSync('git', words, { cwd: root, encoding: 'utf8' });
  const head = git('rev-parse', 'HEAD');
  if (head.status !== 0) return { hash: null, changed: null };
  const status = git('status', '--porcelain');
  return { hash: head.stdout.trim(), changed: status.status === 0 ? status.stdout.trim() !== '' : null };
}

export async function versionsOf(
  databaseUrl: string,
  log: 'postgres' | 'kafka',
): Promise<Report['versions']> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const client = createClient({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return {
      banyan: version,
      node: process.versions.node,
      postgres: rows[0]!.server_version,
      broker: log === 'kafka' ? `Kafka ${KAFKA_VERSION}` : null,
    };
  } finally {
    await client.end();
  }
}
