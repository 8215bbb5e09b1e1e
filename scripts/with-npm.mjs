// Preloaded by every script of package.json that starts something: the process ends when npm ends, also where npm was
// killed and could tell nobody, and what it started ends with it. A program that handles a signal itself (a host, a
// broker, a campaign) is left to it. Workers of vitest have it as well (vitest.config.ts).
// Plain JavaScript for any Node from 18 on; it costs a start one millisecond.
// Whoever starts a file without npm (`node src/main.ts &`) does not have it, and outlives the shell as always.
import { isMainThread } from 'node:worker_threads';
import { endAll, readText, statOf } from './end-all.mjs';

const LOOK_MS = 200;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const linux = process.platform === 'linux';

// On Windows there are no signals to pass on, and a parent's id stays the same when it is gone.
if (isMainThread && process.platform !== 'win32') {
  follow();
  for (const signal of signals) process.on(signal, endUnlessHandled);
}

/** Ends as by SIGTERM once the parent is another one: ours is gone, and somebody else has inherited us. */
function follow() {
  const parent = process.ppid;
  if (isOrphan(parent)) return void process.kill(process.pid, 'SIGTERM');
  // A shell that does not replace itself stands between npm and us, and outlives an npm that was killed.
  const shell = isShellOfNpm(parent) ? parent : undefined;
  const above = shell && parentOf(shell);
  const timer = setInterval(() => {
    if (process.ppid === parent && (!shell || parentOf(shell) === above)) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS);
  timer.unref();
}

/**
 * npm that is told to end right after it has started us passes nothing on, and may be gone before we look. Who has inherited
 * us is of another session, or is the first process and not npm. We are npm's only where it says so, and where we lead no
 * session of our own.
 */
function isOrphan(parent) {
  if (!linux || process.env.npm_lifecycle_event === undefined) return false;
  const own = statOf(process.pid)?.session;
  // A parent that may not be looked at is taken for npm.
  const theirs = statOf(parent)?.session;
  if (own === process.pid || theirs === undefined) return false;
  return theirs !== own || (parent === 1 && !readText('/proc/1/cmdline').includes('npm'));
}

function isShellOfNpm(pid) {
  const script = process.env.npm_lifecycle_script;
  if (!linux || !script) return false;
  const [, flag, command] = readText(`/proc/${pid}/cmdline`).split('\0');
  return flag === '-c' && command?.startsWith(script) === true;
}

/** Undefined where it is gone, or not known. */
function parentOf(pid) {
  return linux ? statOf(pid)?.parent : undefined;
}

let ending = false;
function endUnlessHandled(signal) {
  if (process.listeners(signal).some((one) => one !== endUnlessHandled) || ending) return;
  ending = true;
  // A program whose database or child goes away may fail before all has ended, and must not take this with it.
  for (const failure of ['uncaughtException', 'unhandledRejection']) process.on(failure, () => {});
  void endAll().finally(() => {
    for (const one of signals) process.removeListener(one, endUnlessHandled);
    process.kill(process.pid, signal);
  });
}
