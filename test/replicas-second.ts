// A second monolith on the same database: its own port, folder and name, everything else alike.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientOf, type Shop } from './shop.ts';
import { startMonolith, stopProcess } from './start-shop.ts';

export interface Replica {
  readonly shop: Shop;
  readonly child: ChildProcess;
  output(): string;
  stop(): Promise<void>;
}

export async function startReplica(first: Shop, name = 'monolith-b'): Promise<Replica> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-replica-'));
  const env = { ...first.started.env, DATA_DIR: dataDir, INSTANCE_ID: name };
  let printed = '';
  const { child, url } = await startMonolith(env, dataDir, (text) => {
    printed += text;
  });
  return {
    shop: clientOf({ ...first.started, url, dataDir, adminToken: first.adminToken }),
    child,
    output: () => printed,
    async stop() {
      child.kill('SIGCONT');
      await stopProcess(child);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
