// A shop of its own for a run outside of the tests: a monolith on a folder that is gone afterwards, whose modules can
// be sent away.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from '../../stage/launch.ts';

export interface EdgeShop {
  readonly url: string;
  readonly adminToken: string;
  extract(module: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startEdgeShop(): Promise<EdgeShop> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-edge-'));
  // The embedded server's user is another one when we are root.
  chmodSync(dataDir, 0o711);
  const adminToken = 'edge-'.repeat(8);
  const host = launch({
    env: { PORT: '0', INTERNAL_PORT: '0', DATA_DIR: dataDir, ADMIN_TOKEN: adminToken },
    output: 'errors',
  });
  const stop = async () => {
    await host.end();
    rmSync(dataDir, { recursive: true, force: true });
  };
  const { url } = await host.up().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const put = async (path: string, body: object) => {
    const answer = await fetch(new URL(path, url), {
      method: 'PUT',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  return {
    url,
    adminToken,
    async extract(module) {
      await put(`/admin/services/${module}`, { instances: 1 });
      await put(`/admin/placements/${module}`, { placement: 'service' });
    },
    stop,
  };
}
