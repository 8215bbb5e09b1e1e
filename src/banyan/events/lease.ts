// One holder at a time for a piece of a module's work, as far as anyone can tell. The holder keeps a database
// session open: when its process is killed the session ends and the lease is free at once; when it is frozen
// the lease expires. A holder that wakes after that still believes in it for a moment: nothing may rest on the
// lease but economy.
import type { DatabaseSession } from '../log/database-session.ts';

export interface LeaseOptions {
  readonly schema: string;
  readonly name: string;
  readonly holder: string;
  readonly session: DatabaseSession;
  /** Expires after this unless renewed, in milliseconds. */
  readonly ttlMs: number;
}

export class Lease {
  readonly #options: LeaseOptions;
  #held = false;
  #renewed = 0;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** As far as this process knows. */
  get held(): boolean {
    return this.#held;
  }

  /** True when it is ours now. */
  async take(): Promise<boolean> {
    const { schema, name, holder, session, ttlMs } = this.#options;
    const { pid, start } = await session.identity();
    const { rowCount } = await session.query(
      `UPDATE ${schema}.event_lease l
       SET holder = $2, pid = $3, session_start = $4, expires_at = clock_timestamp() + $5::float8 * interval '1 ms'
       WHERE name = $1 AND ${schema}.event_lease_is_free(l)`,
      [name, holder, pid, start, ttlMs],
    );
    this.#held = rowCount === 1;
    this.#renewed = Date.now();
    return this.#held;
  }

  /** Renews when a quarter of the time has passed; false when somebody else has it. */
  async keep(): Promise<boolean> {
    const { schema, name, session, ttlMs } = this.#options;
    if (!this.#held || Date.now() - this.#renewed < ttlMs / 4) return this.#held;
    const { pid, start } = await session.identity();
    const { rowCount } = await session.query(
      `UPDATE ${schema}.event_lease SET expires_at = clock_timestamp() + $4::float8 * interval '1 ms'
       WHERE name = $1 AND pid = $2 AND session_start = $3`,
      [name, pid, start, ttlMs],
    );
    this.#held = rowCount === 1;
    this.#renewed = Date.now();
    return this.#held;
  }

  /** Hands over at once. */
  async release(): Promise<void> {
    const { schema, name, session } = this.#options;
    if (!this.#held) return;
    this.#held = false;
    const { pid, start } = await session.identity();
    await session.query(
      `UPDATE ${schema}.event_lease SET expires_at = '-infinity', holder = NULL
       WHERE name = $1 AND pid = $2 AND session_start = $3`,
      [name, pid, start],
    );
  }

  /** What this process believed is no longer worth anything (its session broke). */
  forget(): void {
    this.#held = false;
  }
}
