// The embedded server through everything that happens to a host: killed, started twice, interrupted, started by
// root in a folder that nobody else may enter.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { identify } from '../context/process.ts';
import { openEmbedded } from './embedded.ts';
import type { EmbeddedServer } from './embedded-watch.ts';
import { query, silent } from './testing.ts';

const fixture = fileURLToPath(new URL('./embedded.fixture.ts', import.meta.url));
const root = process.getuid?.() === 0;

let folder: string;
let dataDir: string;
const undo: (() => unknown)[] = [];

const folders: string[] = [];

function newFolder(): void {
  folder = mkdtempSync(join(tmpdir(), 'banyan-embedded-'));
  folders.push(folder);
  // mkdtemp makes it 0700, which is a test of its own.
  chmodSync(folder, 0o755);
  dataDir = join(folder, 'data');
}

// One data folder for most tests: making one costs a second of CPU.
beforeAll(newFolder);
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true });
});

async function openHere(): Promise<EmbeddedServer> {
  const server = await openEmbedded({ dataDir, log: silent });
  undo.push(() => server.stop());
  return server;
}

interface Host {
  readonly child: ChildProcess;
  readonly said: { readonly url: string; readonly pid: number; readonly adopted: boolean };
}

/** A host in a process of its own; resolves when its server answers. */
async function startHost(options: { uid?: number; gid?: number } = {}): Promise<Host> {
  const child = spawn(process.execPath, [fixture, dataDir], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  undo.push(() => child.kill('SIGKILL'));
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(complaint))),
  ])) as [string];
  return { child, said: JSON.parse(line) };
}

async function kill({ child }: Host): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The files that a host must not leave behind. */
function leftovers(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(pid|lock)$/.test(name),
  );
}

const pidFile = () => join(dataDir, 'postgres', 'data', 'postmaster.pid');
let written = 0;
const write = (url: string) =>
  query(url, `DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT ${++written} AS n`);
const read = (url: string) => query(url, 'SELECT n FROM kept');

test('serves on this machine alone, keeps what it has, and leaves no pid and no lock', async () => {
  const server = await openHere();
  expect(server.adopted).toBe(false);
  expect(new URL(server.url).hostname).toBe('127.0.0.1');
  await write(server.url);
  await server.stop();
  expect(identify(server.pid)).toBeUndefined();
  expect(leftovers()).toEqual([]);
  const again = await openHere();
  expect(await read(again.url)).toEqual([{ n: written }]);
  const [settings] = await query(
    again.url,
    `SELECT current_setting('fsync') AS fsync, current_setting('wal_level') AS wal, current_setting('listen_addresses') AS listens, lower('Ä') AS lower,
       current_setting('max_logical_replication_workers') AS followed, current_setting('max_replication_slots') AS slots`,
  );
  // The last two: six modules may each be followed on another server, both ways.
  const pairs = { followed: '16', slots: '32' };
  expect(settings).toEqual({ fsync: 'on', wal: 'logical', listens: '127.0.0.1', lower: 'ä', ...pairs });
});

/** The sockets in the server's folder, with their locks. */
const sockets = () =>
  readdirSync(join(dataDir, 'postgres', 'data')).filter((name) => name.startsWith('.s.PGSQL'));
const cameBySocket = async (url: string) =>
  (await query(url, 'SELECT inet_client_addr() IS NULL AS socket'))[0]!.socket;

test('is reached by its Unix socket, and by its port by who knows no sockets', async () => {
  const server = await openHere();
  const port = new URL(server.url);
  port.search = '';
  expect([await cameBySocket(server.url), await cameBySocket(port.href)]).toEqual([true, false]);
});

test('is reached by its port where the path is too long for a socket', async () => {
  newFolder();
  dataDir = join(folder, 'long'.repeat(20), 'data');
  mkdirSync(dirname(dataDir));
  const server = await openHere();
  expect(await cameBySocket(server.url)).toBe(false);
  expect(sockets()).toEqual([]);
  newFolder();
});

test('is in a process group of its own, which a Ctrl-C on the terminal does not reach', async () => {
  const { said, child } = await startHost();
  undo.push(async () => (await openEmbedded({ dataDir, log: silent })).stop());
  const groups = spawnSync('ps', ['-o', 'pgid=', '-p', `${said.pid},${child.pid}`], { encoding: 'utf8' });
  expect(new Set(groups.stdout.trim().split(/\s+/)).size).toBe(2);
});

test('is adopted when its host was killed', async () => {
  const host = await startHost();
  await write(host.said.url);
  await kill(host);
  const server = await openHere();
  expect(server).toMatchObject({ adopted: true, pid: host.said.pid, url: host.said.url });
  expect(await read(server.url)).toEqual([{ n: written }]);
  await server.stop();
  expect(leftovers()).toEqual([]);
});

test('is replaced when it was killed with its host', async () => {
  const host = await startHost();
  await write(host.said.url);
  await kill(host);
  process.kill(host.said.pid, 'SIGKILL');
  // At once: what is left of the old server is still letting go of the folder.
  const server = await openHere();
  expect(server.pid).not.toBe(host.said.pid);
  expect(await read(server.url)).toEqual([{ n: written }]);
  const { port } = new URL(server.url);
  expect(sockets().sort()).toEqual([`.s.PGSQL.${port}`, `.s.PGSQL.${port}.lock`]);
});

test('is replaced when its pid is somebody else’s by now', async () => {
  const server = await openHere();
  await write(server.url);
  const left = readFileSync(pidFile(), 'utf8');
  await server.stop();
  const stranger = spawn('sleep', ['60']);
  undo.push(() => stranger.kill());
  writeFileSync(pidFile(), left.replace(/^\d+/, String(stranger.pid)));
  const again = await openHere();
  expect(again.adopted).toBe(false);
  expect(await read(again.url)).toEqual([{ n: written }]);
  expect(stranger.exitCode).toBeNull();
});

test('comes back on the same port when somebody kills it', async () => {
  let back = () => {};
  const restarted = new Promise<void>((resolve) => {
    back = resolve;
  });
  const log = pino({ level: 'warn' }, { write: (line) => line.includes('runs again') && back() });
  const server = await openEmbedded({ dataDir, log });
  undo.push(() => server.stop());
  await write(server.url);
  const killed = server.pid;
  process.kill(killed, 'SIGKILL');
  await restarted;
  expect(server.pid).not.toBe(killed);
  expect(server.restarts).toBe(1);
  expect(await read(server.url)).toEqual([{ n: written }]);
});

test('is tried again where it could not be started, and the host lives on', async () => {
  const said = new EventEmitter();
  const log = pino({ level: 'warn' }, { write: (line) => said.emit(JSON.parse(line).msg) });
  const server = await openEmbedded({ dataDir, log });
  undo.push(() => server.stop());
  const logs = join(dataDir, 'logs');
  renameSync(logs, `${logs}-elsewhere`);
  const refused = once(said, 'the embedded PostgreSQL is gone and does not start');
  process.kill(server.pid, 'SIGKILL');
  await refused;
  const restarted = once(said, 'the embedded PostgreSQL was killed and runs again');
  renameSync(`${logs}-elsewhere`, logs);
  await restarted;
  await write(server.url);
});

test('is one server when two hosts start it at once', async () => {
  newFolder();
  const [one, other] = await Promise.all([startHost(), startHost()]);
  expect(one.said.pid).toBe(other.said.pid);
  expect([one.said.adopted, other.said.adopted].sort()).toEqual([false, true]);
  await kill(one);
  await kill(other);
  const server = await openHere();
  expect(server.adopted).toBe(true);
});

test('says in one line why it did not start', async () => {
  const server = await openHere();
  await server.stop();
  const file = join(dataDir, 'postgres', 'data', 'postgresql.auto.conf');
  const before = readFileSync(file);
  undo.push(() => writeFileSync(file, before));
  writeFileSync(file, 'nonsense = 1');
  await expect(openEmbedded({ dataDir, log: silent })).rejects.toThrow(
    /^The embedded PostgreSQL did not start: [^\n]*contains errors[^\n]*$/,
  );
});

test('does not touch a folder that another user made', async () => {
  const server = await openHere();
  await server.stop();
  // In a clone that only root may enter nobody else can be the one who comes.
  if (!root || !mayEnterClone) return;
  const child = spawn(process.execPath, [fixture, dataDir], {
    uid: 65534,
    gid: 65534,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  await once(child, 'close');
  expect(complaint).toContain('was made by another user of this machine');
});

/** Whether an ordinary user could run this clone at all. */
const mayEnterClone =
  spawnSync(process.execPath, ['-e', ''], {
    uid: root ? 65534 : undefined,
    gid: root ? 65534 : undefined,
    cwd: '/',
  }).status === 0;

describe.runIf(root)('started by root', () => {
  beforeEach(newFolder);

  test('runs as another user, in DATA_DIR where that user may go', async () => {
    const server = await openHere();
    const [row] = await query(server.url, `SELECT current_setting('data_directory') AS data`);
    expect(row!.data).toBe(join(dataDir, 'postgres', 'data'));
    expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).not.toMatch(/^Uid:\s+0\b/m);
  });

  test('runs in DATA_DIR also when that alone is closed to others', async () => {
    mkdirSync(dataDir, { mode: 0o700 });
    const server = await openHere();
    const [row] = await query(server.url, `SELECT current_setting('data_directory') AS data`);
    expect(row!.data).toBe(join(dataDir, 'postgres', 'data'));
  });

  test('keeps its files elsewhere when the folder above is closed, says so, and finds them again', async () => {
    chmodSync(folder, 0o700);
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line) => lines.push(line) });
    const server = await openEmbedded({ dataDir, log });
    const [row] = await query(server.url, `SELECT current_setting('data_directory') AS data`);
    const elsewhere = dirname(row!.data);
    undo.push(() => rmSync(elsewhere, { recursive: true, force: true }));
    await write(server.url);
    await server.stop();
    expect(elsewhere.startsWith(folder)).toBe(false);
    expect(lines.join('')).toContain(`the database's files are in ${elsewhere}`);
    expect(readFileSync(join(elsewhere, 'belongs-to'), 'utf8').trim()).toBe(dataDir);
    expect(
      readdirSync(elsewhere, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /\.(pid|lock)$/.test(name),
      ),
    ).toEqual([]);
    // Also once the folder is open: the data is where it is.
    chmodSync(folder, 0o755);
    const again = await openHere();
    expect(await read(again.url)).toEqual([{ n: written }]);
  });

  test.runIf(mayEnterClone)('goes on with what an ordinary user made, as that user', async () => {
    mkdirSync(dataDir);
    chownSync(dataDir, 65534, 65534);
    const host = await startHost({ uid: 65534, gid: 65534 });
    await write(host.said.url);
    await kill(host);
    const server = await openHere();
    expect(server.adopted).toBe(true);
    await server.stop();
    const again = await openHere();
    expect(await read(again.url)).toEqual([{ n: written }]);
    expect(readFileSync(`/proc/${again.pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534\b/m);
  });
});
