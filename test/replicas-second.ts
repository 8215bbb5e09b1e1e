// A second monolith on the same database: its own port, folder and name, everything else alike.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Launched, launch } from '../stage/launch.ts';
import { clientOf, type Shop } from './shop.ts';

export interface Replica {
  readonly shop: Shop;
  readonly host: Launched;
  stop(): Promise<void>;
}

export async function startReplica(first: Shop, name = 'monolith-b'): Promise<Replica> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-replica-'));
  const env = { ...first.started.env, DATA_DIR: dataDir, INSTANCE_ID: name };
  const host = await launch({ env }).up();
  return {
    shop: clientOf({ ...first.started, host, url: host.url, dataDir, adminToken: first.adminToken }),
    host,
    async stop() {
      await host.end();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
