// Makes a clone ready to run: installs what is missing and generates the Prisma clients. Called before
// `npm start` and `npm test`; does nothing, in a few milliseconds, when there is nothing to do. Plain
// JavaScript for any Node from 18 on, because the right Node is one of the things that it installs. Told to end, it ends
// npm with it; half an installation has no stamp, and the next start makes it whole.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import './with-npm.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const localNode = join(root, 'node_modules', '.bin', 'node');
const production = process.argv.includes('--production');
/** With what the benches are compared with, too: packages of their own, in bench/. */
const bench = process.argv.includes('--bench');
const hash = (text) => createHash('sha256').update(text).digest('hex').slice(0, 32);
const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const say = (text) => process.stderr.write(`${text}\n`);

const installStamp = join(root, 'node_modules', '.banyan-installed');
const wantedInstall = () => hash(read(join(root, 'package-lock.json')) + process.platform + process.arch);
const changedAt = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** Installed by us, or by hand: npm writes a lockfile of its own into node_modules when it is done. */
function installed() {
  if (!existsSync(localNode)) return false;
  if (read(installStamp) === wantedInstall()) return true;
  const own = join(root, 'node_modules', '.package-lock.json');
  return changedAt(own) >= changedAt(join(root, 'package-lock.json'));
}

/** The modules whose client is missing or was generated from another schema or by another Prisma. */
function staleClients() {
  const folder = join(root, 'prisma');
  const prisma = read(join(root, 'node_modules', 'prisma', 'package.json'));
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'schema.prisma')))
    .map((module) => {
      const stamp = join(folder, module, 'client', '.schema');
      return { module, stamp, wanted: hash(read(join(folder, module, 'schema.prisma')) + prisma) };
    })
    .filter(({ stamp, wanted }) => read(stamp) !== wanted);
}

function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0
        ? resolve()
        : reject(
            new Error(output.trim().split('\n').slice(0, 12).join('\n') || `${command} ended with ${code}`),
          ),
    );
  });
}

async function install() {
  say('Installing dependencies (once, about half a minute) …');
  await runNpm(['ci', ...(production ? ['--omit=dev'] : [])]);
  if (!existsSync(localNode)) {
    throw new Error(
      'npm did not install Node 24 (the package "node"): are install scripts switched off? Try: npm ci --ignore-scripts=false',
    );
  }
  writeFileSync(installStamp, wantedInstall());
}

async function runNpm(words) {
  const npm = process.env.npm_execpath;
  const args = [...words, '--no-audit', '--no-fund', '--loglevel=error'];
  if (npm?.endsWith('.js')) await run(process.execPath, [npm, ...args]);
  else await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args);
}

async function generate(stale) {
  say(`Generating ${stale.length} database clients …`);
  const prisma = join(root, 'node_modules', 'prisma', 'build', 'index.js');
  const env = {
    // Generating needs no schema engine, and naming any executable keeps Prisma from downloading one.
    PRISMA_SCHEMA_ENGINE_BINARY: localNode,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
    // Most of a run is to compile Prisma's own 20 MB: 0.95 s of CPU, 0.65 when that is kept.
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node'),
  };
  const queue = [...stale];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await run(
        localNode,
        [prisma, 'generate', '--schema', join('prisma', next.module, 'schema.prisma')],
        env,
      );
      writeFileSync(next.stamp, next.wanted);
    }
  };
  await Promise.all(Array.from({ length: Math.min(cpus().length, 4) }, worker));
}

/** One at a time per clone. The lock is a folder outside of it, and one whose owner is gone is broken. */
async function alone(work) {
  const lock = join(tmpdir(), `banyan-setup-${hash(root)}`);
  let told = false;
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (isStale(lock)) breakLock(lock);
      else if (!told) {
        say('Waiting for another setup of this clone …');
        told = true;
      }
      await pause(200);
    }
  }
  try {
    await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** By a rename, so that of two that find it stale one alone removes it, and no new one in its place. */
function breakLock(lock) {
  const broken = `${lock}.${process.pid}`;
  try {
    renameSync(lock, broken);
    if (isStale(broken)) rmSync(broken, { recursive: true, force: true });
    else renameSync(broken, lock);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error;
  }
}

function isStale(lock) {
  try {
    const pid = Number(read(join(lock, 'pid')));
    if (!pid) return Date.now() - statSync(lock).mtimeMs > 5000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH' || error.code === 'ENOENT';
  }
}

if (bench || !installed() || staleClients().length > 0) {
  try {
    await alone(async () => {
      if (!installed()) await install();
      const stale = staleClients();
      if (stale.length > 0) await generate(stale);
      if (bench) {
        say('Installing what the benches need …');
        await runNpm(['ci', '--prefix', 'bench']);
      }
    });
  } catch (error) {
    say(`Setup failed: ${error.message}`);
    process.exit(1);
  }
}
