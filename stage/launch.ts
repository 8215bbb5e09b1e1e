// The only launcher of a process of the product. Guarantees: the process gets the environment that it is given, and of
// ours PATH and HOME alone; `up` comes when it has said where it is, or fails with what it said instead; it ends in
// order within a bound, or at once; what ended by its own fault leaves its last words on stderr. It must not know what it
// stands on: databases, folders and cores are for who starts it. It is beside src/, because tests, benches and
// comparisons start processes by it, and production by its supervisor (ADR 170).
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readInstanceFile } from '../src/banyan/supervisor/instance-file.ts';

export type Env = Readonly<Record<string, string>>;

export interface Launch {
  readonly env?: Env;
  /** Where it works, and has its entry: another checkout of the product, say; this one unless said. */
  readonly folder?: string;
  /** In the folder; the monolith unless said. */
  readonly entry?: string;
  readonly args?: readonly string[];
  /** The words that run the entry; our own Node unless said. A command before Node must become Node, as taskset does. */
  readonly node?: readonly string[];
  /** Leads a process group: a Ctrl-C in a terminal does not reach it, and `kill` takes all of the group. */
  readonly leads?: boolean;
  /** With a channel for messages. */
  readonly ipc?: boolean;
  /** `kept` for `output()`, unless said; `errors`: stderr goes to ours, the rest nowhere; else added to that file. */
  readonly output?: 'kept' | 'errors' | { readonly file: string };
  readonly onOutput?: (text: string) => void;
  /** Where it is, from what it has said so far; for what has no instance file, and prints no address as a host does. */
  readonly says?: (output: string) => string | undefined;
}

export type Ending = number | NodeJS.Signals;

const root = fileURLToPath(new URL('..', import.meta.url));
/** A start on a busy machine, with all migrations. */
const UP_MS = 60_000;
/** A host ends itself by force after 35 s (src/banyan/host/run.ts), and its own last words come first. */
const END_MS = 45_000;
const LOOK_MS = 5;
/** Somebody sent these; any other signal is its own fault, as SIGABRT is when its heap is full. */
const sent: readonly Ending[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'];
const greeting = (output: string) => / is up at (http:\S+)/.exec(output)?.[1];

/** Starts it and does not wait. */
export function launch(options: Launch): Launched {
  return new Launched(options);
}

export class Launched {
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  /** Once it is `up`: where it serves, and how long it took to say so. */
  url = '';
  readyMs = 0;
  readonly #options: Launch;
  readonly #began = performance.now();
  readonly #silent: Promise<unknown>;
  #output = '';

  constructor(options: Launch) {
    this.#options = options;
    this.child = start(options);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        options.onOutput?.(text);
      });
    this.#silent = new Promise((resolve) => this.child.once('close', resolve));
    this.ended = new Promise((resolve, reject) => {
      this.child.once('exit', (code, signal) => resolve(code ?? signal!));
      this.child.once('error', reject);
    });
    this.ended.catch(() => {});
  }

  get pid(): number {
    return this.child.pid!;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** All that it has said, where that is kept. */
  output(): string {
    return this.#output;
  }

  /** Resolves once it has said where it is. Aborted, it goes on; too late, it is killed. */
  async up(signal?: AbortSignal): Promise<this> {
    for (;;) {
      const url = this.#where();
      if (url !== undefined) {
        this.readyMs = performance.now() - this.#began;
        this.url = url;
        void this.ended.then((how) => this.#reportFailure(how));
        return this;
      }
      if (!this.running) throw new Error(`did not start:\n${await this.#lastWords()}`);
      if (performance.now() - this.#began > UP_MS) {
        await this.kill();
        throw new Error(`was not up after ${UP_MS / 1000} s:\n${await this.#lastWords()}`);
      }
      await Promise.race([pause(LOOK_MS), this.ended]);
      signal?.throwIfAborted();
    }
  }

  /** In order, as a terminal ends it, also when it stands still; by force past its bound. */
  async end(): Promise<Ending> {
    if (!this.running) return this.ended;
    this.child.kill('SIGTERM');
    this.child.kill('SIGCONT');
    const late = setTimeout(() => this.kill(), END_MS);
    return this.ended.finally(() => clearTimeout(late));
  }

  /** At once; its group also where it has ended already. */
  kill(): Promise<Ending> {
    const { leads = false } = this.#options;
    try {
      if (leads || this.running) process.kill(leads ? -this.pid : this.pid, 'SIGKILL');
    } catch {
      // There is nobody left in it.
    }
    return this.ended;
  }

  #where(): string | undefined {
    const { env, says = greeting } = this.#options;
    const instance = env?.DATA_DIR ? readInstanceFile(env.DATA_DIR) : undefined;
    // One that was killed leaves its file.
    return instance?.pid === this.pid ? instance.url : says(this.#output);
  }

  /** What a failed test needs first. Elsewhere a file has it, or it was shown. */
  async #reportFailure(how: Ending): Promise<void> {
    const { output = 'kept', entry = 'the monolith' } = this.#options;
    if (output !== 'kept' || how === 0 || sent.includes(how)) return;
    process.stderr.write(`${entry} ended with ${how}:\n${await this.#lastWords()}\n`);
  }

  async #lastWords(): Promise<string> {
    // They come after its end; whom it has started may hold its output open for ever.
    await Promise.race([this.#silent, pause(500, undefined, { ref: false })]);
    const { output } = this.#options;
    const all = typeof output === 'object' ? readFileSync(output.file, 'utf8') : this.#output;
    return all.slice(-4000).trim() || 'It said nothing.';
  }
}

function start(options: Launch): ChildProcess {
  const { folder = root, entry = 'src/main.ts', args = [], node = [process.execPath] } = options;
  const [command, ...words] = [...node, resolve(folder, entry), ...args];
  const { output = 'kept', ipc = false, leads = false } = options;
  const file = typeof output === 'object' ? openSync(output.file, 'a') : undefined;
  const [out, errors] = output === 'kept' ? (['pipe', 'pipe'] as const) : (['ignore', 'inherit'] as const);
  const child = spawn(command!, words, {
    cwd: folder,
    detached: leads,
    stdio: ['ignore', file ?? out, file ?? errors, ...(ipc ? (['ipc'] as const) : [])],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env },
  });
  if (file !== undefined) closeSync(file);
  return child;
}
