// How attempts of jobs went, by module: what one process counts of the work that it does by itself, rows that wait and steps
// of sagas. Guarantees: the numbers only grow while the process lives, so that a reader takes differences.
// Which side a process is of, its reader knows.

/** Attempts, and those that failed. */
export interface Attempts {
  readonly n: number;
  readonly bad: number;
}

export type AttemptsByModule = Readonly<Record<string, Attempts>>;

export class JobAttempts {
  readonly #modules = new Map<string, { n: number; bad: number }>();

  /** An attempt has ended. */
  note(module: string, failed: boolean): void {
    let counts = this.#modules.get(module);
    if (!counts) {
      counts = { n: 0, bad: 0 };
      this.#modules.set(module, counts);
    }
    counts.n += 1;
    if (failed) counts.bad += 1;
  }

  /** As it is now. */
  read(): AttemptsByModule {
    return Object.fromEntries([...this.#modules].map(([module, counts]) => [module, { ...counts }]));
  }
}
