// Which processes come up: those that were not ready since they were first seen, for as long as a start may take. Whoever was
// ready once and is not any more has not started, it is down.
import type { HostRow } from '../placement/tables.ts';

/** Who takes longer does not start. */
const LONGEST_MS = 60_000;

type Row = Pick<HostRow, 'host' | 'live' | 'ready'>;

export class Starts {
  readonly #since = new Map<string, number>();
  readonly #ready = new Set<string>();

  /** Answers them, by the UUID of the process. */
  look(now: number, hosts: readonly Row[]): ReadonlySet<string> {
    const starting = new Set<string>();
    for (const { host, live, ready } of hosts) {
      if (ready) this.#ready.add(host);
      const since = this.#since.get(host) ?? now;
      this.#since.set(host, since);
      if (live && !this.#ready.has(host) && now - since < LONGEST_MS) starting.add(host);
    }
    const known = new Set(hosts.map(({ host }) => host));
    for (const host of this.#since.keys())
      if (!known.has(host)) {
        this.#since.delete(host);
        this.#ready.delete(host);
      }
    return starting;
  }
}
