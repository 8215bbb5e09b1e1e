// One process of this machine that a supervisor looks after: started by it, or found running.
// Guarantees: it is the leader of its own group, so that Ctrl-C in a terminal reaches the supervisor alone;
// its output goes straight to a file, so that it outlives the supervisor; a signal never hits a reused pid.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync } from 'node:fs';
import { identify, isAlive, machine, type ProcessIdentity, signal } from '../context/process.ts';

export interface LocalProcess {
  readonly identity: ProcessIdentity;
  /** How it ended, in words; never rejects. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL when it is still there after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
  /** Looks after it no longer, and lets it run. */
  forget(): void;
}

export interface Command {
  /** The TypeScript file to run with this very Node. */
  readonly entry: string;
  /** A module to load before it. */
  readonly preload?: string;
  readonly cwd: string;
  /** A folder of its own, made for it alone (0700). */
  readonly folder?: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Why the command cannot be run at all, whatever is tried; undefined: it can. */
export function unrunnable({ entry, cwd }: Command): string | undefined {
  const missing = [cwd, entry].find((path) => !existsSync(path));
  return missing && `${missing} is missing`;
}

/** Starts the command with its output appended to the open file `output`, which is closed here. */
export function startProcess({ entry, preload, cwd, folder, env }: Command, output: number): LocalProcess {
  if (folder !== undefined) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const child = spawn(process.execPath, [...(preload ? ['--import', preload] : []), entry], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, by) => resolve(by ? `ended by ${by}` : `exit code ${code}`));
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
  });
  const identity = (child.pid && identify(child.pid)) || { machine, pid: child.pid ?? 0, started: '' };
  return handle(
    identity,
    ended,
    (name) => child.kill(name),
    () => child.unref(),
  );
}

const WATCH_MS = 250;

/** A process that another supervisor started: not a child, so its end is noticed by looking. */
export function adoptProcess(identity: ProcessIdentity): LocalProcess {
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<string>((resolve) => {
    timer = setInterval(() => {
      if (isAlive(identity)) return;
      clearInterval(timer);
      resolve('gone');
    }, WATCH_MS);
  });
  return handle(
    identity,
    ended,
    (name) => signal(identity, name),
    () => clearInterval(timer),
  );
}

function handle(
  identity: ProcessIdentity,
  ended: Promise<string>,
  send: (name: NodeJS.Signals) => boolean,
  forget: () => void,
): LocalProcess {
  return {
    identity,
    ended,
    forget,
    async stop(graceMs) {
      send('SIGTERM');
      const timer = setTimeout(() => send('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
