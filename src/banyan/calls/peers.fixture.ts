// For tests: peer processes, started and ended, and a snapshot that the test itself writes.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Door, Instance, Placement, Placements, Snapshot } from '../routing/snapshot.ts';
import type { Said, Told } from './peer.fixture.ts';

const script = fileURLToPath(new URL('./peer.fixture.ts', import.meta.url));

export class PeerProcess {
  readonly instance: Instance;
  readonly #child: ChildProcess;
  readonly #told: Told[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(id: string, child: ChildProcess, port: number) {
    this.instance = instanceAt(id, port, child.pid!);
    this.#child = child;
    child.on('message', (told: Told) => {
      this.#told.push(told);
      for (const look of this.#waiting) look();
    });
  }

  static async start(id: string, port = 0): Promise<PeerProcess> {
    const child = fork(script, [id, String(port)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [told] = (await once(child, 'message')) as [{ listening: number }];
    return new PeerProcess(id, child, told.listening);
  }

  get port(): number {
    return Number(new URL(this.instance.url).port);
  }

  tell(said: Said): void {
    this.#child.send(said);
  }

  /** Waits until the process said so, at some time since it started. */
  async says(wanted: Told): Promise<void> {
    const text = JSON.stringify(wanted);
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!this.#told.some((told) => JSON.stringify(told) === text)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  heard(wanted: Told): number {
    return this.#told.filter((told) => JSON.stringify(told) === JSON.stringify(wanted)).length;
  }

  async signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const gone = name === 'SIGKILL' ? once(this.#child, 'exit') : undefined;
    this.#child.kill(name);
    await gone;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.signal('SIGKILL');
  }
}

export function instanceAt(id: string, port: number, pid: number, doors: Door[] = ['ws', 'http']): Instance {
  return { id, host: `${id}:${port}:${pid}`, url: `http://127.0.0.1:${port}`, pid, doors, healthy: true };
}

/** Placements that the test writes. `refreshed` counts how often somebody looked again. */
export class WrittenPlacements implements Placements {
  current: Snapshot;
  refreshed = 0;
  /** What the next refresh finds. */
  found: readonly Instance[] | undefined;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();

  constructor(instances: readonly Instance[], placement: Placement = 'service') {
    this.current = snapshotOf(instances, placement, 1);
  }

  put(instances: readonly Instance[], placement: Placement = 'service'): void {
    this.current = snapshotOf(instances, placement, this.current.version + 1);
    for (const listener of this.#listeners) listener(this.current);
  }

  /** In canary, for 99 of 100 keys. */
  share(far: readonly Instance[], near: readonly Instance[]): void {
    const { modules, ...rest } = snapshotOf(far, 'service', this.current.version + 1);
    const greeter = { ...modules.greeter!, placement: 'canary' as const, percent: 99 };
    this.current = { ...rest, modules: { greeter }, monoliths: near };
    for (const listener of this.#listeners) listener(this.current);
  }

  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async refresh(): Promise<Snapshot> {
    this.refreshed += 1;
    if (this.found) this.put(this.found);
    return this.current;
  }
}

function snapshotOf(instances: readonly Instance[], placement: Placement, version: number): Snapshot {
  const service = placement === 'service';
  return {
    version,
    modules: {
      greeter: {
        module: 'greeter',
        placement,
        percent: service ? 100 : 0,
        changedAt: '2026-01-01T00:00:00Z',
        changedBy: 'test',
        instances: service ? instances : [],
      },
    },
    monoliths: service ? [] : instances,
    revoked: {},
  } as Snapshot;
}
