// The generator seen from its parent: started, pinned to a core of its own where there are enough, given plans.
// Guarantees: it ends with `stop`, and by itself when this process dies.
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { LoadPlan, LoadResult } from './plan.ts';

export interface Generator {
  readonly pid: number;
  run(plan: LoadPlan): Promise<LoadResult>;
  stop(): Promise<void>;
}

/** With fewer cores than this everybody shares all of them: a core less would starve the hosts. */
const CORES_TO_PIN = 4;

/** Which cores whom: `undefined` is all of them. In words for the report. */
export interface Pinning {
  readonly generator: string | undefined;
  readonly hosts: string | undefined;
  /** The generator runs before everybody else (SCHED_RR): it uses little, and what it does late looks like a slow server. */
  readonly first: boolean;
  readonly words: string;
}

export function choosePinning(
  cores = availableParallelism(),
  taskset = has('taskset'),
  first = mayRunFirst(),
): Pinning {
  const ahead = first ? '; the generator is scheduled before all others' : '';
  const shared = { generator: undefined, hosts: undefined, first };
  if (!taskset)
    return { ...shared, words: `not pinned: this system has no taskset; all share ${cores} cores${ahead}` };
  if (cores < CORES_TO_PIN) {
    return {
      ...shared,
      words: `not pinned: with ${cores} cores hosts, database and generator share all of them${ahead}`,
    };
  }
  const last = cores - 1;
  return {
    generator: String(last),
    hosts: `0-${last - 1}`,
    first,
    words: `generator on core ${last}, hosts and database on cores 0-${last - 1}${ahead}`,
  };
}

function has(command: string): boolean {
  return process.platform === 'linux' && spawnSync(command, ['--version']).status === 0;
}

/** A container may forbid it even to root. */
function mayRunFirst(): boolean {
  return has('chrt') && spawnSync('chrt', ['-r', '1', 'true']).status === 0;
}

/** Moves a process and what it starts from now on. */
export function pin(pid: number, cores: string | undefined): void {
  if (cores !== undefined) spawnSync('taskset', ['-apc', cores, String(pid)]);
}

/** @param env PATH and the like, as every process of a comparison gets it. */
export async function startGenerator(pinning: Pinning, env: NodeJS.ProcessEnv): Promise<Generator> {
  const child = fork(fileURLToPath(new URL('./generator.ts', import.meta.url)), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // Its young generation holds a run: fewer pauses while it measures.
    execArgv: ['--max-semi-space-size=64'],
    env,
    detached: true,
  });
  await answerOf(child, 'ready');
  pin(child.pid!, pinning.generator);
  if (pinning.first) spawnSync('chrt', ['-a', '-r', '-p', '1', String(child.pid)]);
  return {
    pid: child.pid!,
    async run(plan) {
      const answer = answerOf(child, 'result');
      child.send({ plan });
      return (await answer) as LoadResult;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function answerOf(child: ChildProcess, field: 'ready' | 'result'): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const onMessage = (message: { error?: string; [field: string]: unknown }) => {
    if (message.error !== undefined) reject(new Error(`the load generator failed: ${message.error}`));
    else if (message[field] !== undefined) resolve(message[field]);
  };
  const onExit = () => reject(new Error('the load generator ended'));
  child.on('message', onMessage);
  child.on('exit', onExit);
  return promise.finally(() => {
    child.off('message', onMessage);
    child.off('exit', onExit);
  });
}
