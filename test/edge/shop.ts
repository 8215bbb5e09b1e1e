// A shop of its own for a run outside of the tests: a monolith on a folder that is gone afterwards, whose modules can
// be sent away.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

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
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [join(root, 'src/main.ts')], {
    cwd: root,
    env: { PATH, HOME, PORT: '0', INTERNAL_PORT: '0', DATA_DIR: dataDir, ADMIN_TOKEN: adminToken },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const stop = async () => {
    await ended(child);
    rmSync(dataDir, { recursive: true, force: true });
  };
  const file = join(dataDir, 'instance.json');
  while (!existsSync(file)) {
    if (child.exitCode !== null) {
      await stop();
      throw new Error('The monolith did not start.');
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { url } = JSON.parse(readFileSync(file, 'utf8')) as { url: string };
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

function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  return exit;
}
