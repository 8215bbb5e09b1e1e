// Ends all that this process has started, and what that has started: hosts, browsers, brokers, databases. First what
// works with a database, then the databases, each within a bound; what does not end by then is killed.
// Plain JavaScript for any Node from 18 on: setup.mjs uses it before there is another.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** What was told to end and has not by then is killed. A host gives its requests 20 s at most. */
const PATIENCE_MS = 25_000;
const linux = process.platform === 'linux';

/** Resolves when all of it is gone. */
export async function endAll() {
  const all = descendants();
  const servers = all.filter(({ name }) => name === 'postgres');
  const postmasters = servers.filter(({ parent }) => !servers.some(({ pid }) => pid === parent));
  await end(
    all.filter(({ name }) => name !== 'postgres'),
    'SIGTERM',
  );
  // A fast shutdown; SIGTERM would wait for every session.
  await end(postmasters, 'SIGINT');
  for (const { pid } of descendants()) kill(pid, 'SIGKILL');
}

async function end(some, signal) {
  for (const { pid } of some) kill(pid, signal);
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until && some.some(({ pid }) => runs(pid))) await pause(20);
  for (const { pid } of some) if (runs(pid)) kill(pid, 'SIGKILL');
}

function descendants() {
  const all = processes();
  const found = [];
  const walk = (pid) => {
    for (const one of all.filter(({ parent }) => parent === pid)) {
      found.push(one);
      walk(one.pid);
    }
  };
  walk(process.pid);
  return found;
}

function processes() {
  if (linux) {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => statOf(Number(name)) ?? []);
  }
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .map(([, pid, parent, path]) => ({ pid: +pid, parent: +parent, name: path.split('/').pop() }));
}

/** From /proc (Linux); undefined where it is gone. What has ended and was not waited for yet is gone, too. */
export function statOf(pid) {
  const text = readText(`/proc/${pid}/stat`);
  const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
  const [state, parent, , session] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return text === '' || state === 'Z'
    ? undefined
    : { pid, parent: Number(parent), session: Number(session), name };
}

function runs(pid) {
  return linux ? statOf(pid) !== undefined : kill(pid, 0);
}

function kill(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

export function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
