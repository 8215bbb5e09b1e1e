// Code execution under one uid is the whole machine; the boundary is a user each, as compose and a cluster have it. Here a
// process of media runs as another user than the monolith, with the environment of media-1 and folders of its own. It
// serves; and whoever is that user reads nothing of the monolith or of other services: no file of its DATA_DIR, no
// environment, no memory. Only root may start a process as somebody else.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Launched, launch } from '../../stage/launch.ts';
import { eventually } from '../shop.ts';
import { environmentOf } from './thief.ts';
import { Victim } from './victim.ts';

/** Nobody on this machine. PostgreSQL runs as `nobody`, so that one will not do. */
const USER = 54_321;
const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];

const possible = process.getuid?.() === 0 && existsSync('/usr/bin/setpriv');
const victim = new Victim();
const own = mkdtempSync(join(tmpdir(), 'banyan-user-'));
let service: Launched;

/** Which of the paths that user can read, or list. */
function readableOf(paths: readonly string[]): string[] {
  const look = `
    const { openSync, readSync, readdirSync } = require('node:fs');
    const can = (path) => {
      try { readSync(openSync(path), Buffer.alloc(1)); return true; } catch {}
      try { readdirSync(path); return true; } catch { return false; }
    };
    const paths = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
    console.log(JSON.stringify(paths.filter(can)));`;
  const [command, ...words] = [...asUser, process.execPath, '-e', look];
  return JSON.parse(
    execFileSync(command!, words, { input: JSON.stringify(paths), encoding: 'utf8', env: {} }),
  );
}

/** The database's socket lies where that user may not go. */
function overTcp(env: Readonly<Record<string, string>>): Record<string, string> {
  const addresses = Object.entries(env).flatMap(([name, value]) => {
    if (!/^postgres(ql)?:/.test(value)) return [];
    const url = new URL(value);
    const port = url.port || url.searchParams.get('port');
    url.searchParams.delete('host');
    url.searchParams.delete('port');
    return [
      [name, `postgres://${url.username}:${url.password}@127.0.0.1:${port}${url.pathname}${url.search}`],
    ];
  });
  return Object.fromEntries(addresses);
}

/** Without what belongs to the database's own user. */
function everythingIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === 'postgres') return [];
    return statSync(path).isDirectory() ? [path, ...everythingIn(path)] : [path];
  });
}

describe.skipIf(!possible)('a service under a user of its own (root alone can try it)', () => {
  beforeAll(async () => {
    // As where a DATA_DIR is made by its host: it may be passed through.
    chmodSync(victim.dataDir, 0o711);
    await victim.open();
    const stolen = environmentOf(await victim.pidOf('media-1'));
    for (const name of ['', 'data', 'pictures']) {
      mkdirSync(join(own, name), { recursive: true });
      chownSync(join(own, name), USER, USER);
    }
    const env = {
      ...stolen,
      ...overTcp(stolen),
      INSTANCE_ID: 'media-2',
      DATA_DIR: join(own, 'data'),
      STORAGE_URL: `file://${join(own, 'pictures')}`,
    };
    service = launch({ env, entry: 'extracted/media/main.ts', node: [...asUser, process.execPath] });
  }, 120_000);
  afterAll(async () => {
    await service?.end();
    await victim.close();
    rmSync(own, { recursive: true, force: true });
  });

  test('serves', async () => {
    expect(
      await eventually(async () => {
        const { status, headers } = await victim.shop.call(
          'GET',
          '/api/media/01900000-0000-7000-8000-000000000001',
        );
        const by = headers.get('x-served-by');
        if (by !== 'media-2') throw new Error(`${status} by ${by}: ${service.output()}`);
        return by;
      }),
    ).toBe('media-2');
  });

  test('reads nothing of DATA_DIR, and of processes nothing but its own', async () => {
    const hosts = await victim.ask<{ id: string; pid: number }>(
      'SELECT id, pid FROM banyan_control.host WHERE live',
    );
    expect(hosts.map(({ id }) => id).sort()).toEqual(['media-1', 'media-2', 'monolith', 'orders-1']);
    const others = hosts.filter(({ id }) => id !== 'media-2');
    const secret = others.flatMap(({ pid }) =>
      ['environ', 'mem', 'cwd', 'fd', 'root'].map((name) => `/proc/${pid}/${name}`),
    );
    const files = everythingIn(victim.dataDir);
    expect(files.length).toBeGreaterThan(5);
    expect(readableOf([victim.dataDir, ...files, ...secret])).toEqual([]);
    expect(readableOf([`/proc/${service.pid}/environ`])).toHaveLength(1);
  });
});
