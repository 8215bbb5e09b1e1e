// Work that lies in rows of a module's own table, leased. To claim a row is to postpone its due time by the lease, in
// one statement that skips what another host is claiming: nobody else finds it until then, and what a killed host
// held is due again by itself. Each claim counts one attempt, and that number (or the row's version) is whose lease it
// is: a host that wakes up after the row was claimed again, or changed, postpones nothing.
// It knows no module, and not what a state means.
import type { QueryResultRow } from 'pg';
import type { Cause } from '../context/cause.ts';
import type { InnerStore } from '../store/store.ts';

/** Where the jobs are. Names are written into SQL as they stand here. */
export interface JobTable<J> {
  readonly name: string;
  readonly columns: {
    readonly id: string;
    /** What is to be done, or that it is over. */
    readonly state: string;
    /** When it may be claimed; while it is claimed the end of the lease. Null: nothing is to be done. Needs an index. */
    readonly due: string;
    /** Claims so far. */
    readonly attempts: string;
    /** The event or call that made the row, for traces. */
    readonly cause: string;
    /**
     * For rows that others change without a change of state: raised by each claim and by all of them. Where there is
     * one, it says whose lease it is, and not state and attempts.
     */
    readonly version?: string;
    /** When it was postponed last, by the database's clock. */
    readonly postponedAt?: string;
  };
  /** What else a job is made of: columns, or SQL that may name the table. */
  readonly reads: readonly string[];
  readonly jobOf: (row: QueryResultRow) => J;
}

/** One claim of one row. */
export interface Lease {
  readonly id: string;
  readonly state: string;
  /** This one included. */
  readonly attempts: number;
  readonly cause: Cause | null;
  /** Where the table has one. */
  readonly version?: number;
}

export interface Held<J> {
  readonly lease: Lease;
  readonly job: J;
}

/** A due time from now on, by the database's clock. */
export const inMs = (value: string) => `now() + ${value} * interval '1 millisecond'`;

export class JobQueue<J> {
  readonly #table: JobTable<J>;
  readonly #store: Pick<InnerStore, 'sql' | 'asyncCommit'>;
  readonly #claim: string;

  constructor(table: JobTable<J>, store: Pick<InnerStore, 'sql' | 'asyncCommit'>) {
    const { id, state, due, attempts, cause, version } = table.columns;
    const raised = version ? `, ${version} = ${version} + 1` : '';
    this.#table = table;
    this.#store = store;
    // An array, since a join would scan the table.
    this.#claim = `
      UPDATE ${table.name} SET ${due} = ${inMs('$2')}, ${attempts} = ${attempts} + 1${raised}
      WHERE ${id} = ANY (ARRAY(
        SELECT ${id} FROM ${table.name} WHERE ${due} <= now() ORDER BY ${due} LIMIT $1 FOR UPDATE SKIP LOCKED
      ))
      RETURNING ${[id, state, attempts, cause, ...(version ? [version] : []), ...table.reads].join(', ')}`;
  }

  /**
   * Leases what is due, the longest waiting of it. Committed asynchronously: a lease that a crash of the database server loses is
   * only taken again.
   */
  async claim(limit: number, leaseMs: number): Promise<Held<J>[]> {
    const { columns, jobOf } = this.#table;
    const { rows } = await this.#store.asyncCommit.query(this.#claim, [limit, leaseMs]);
    return rows.map((row) => ({
      lease: {
        id: row[columns.id],
        state: row[columns.state],
        attempts: row[columns.attempts],
        cause: row[columns.cause],
        ...(columns.version ? { version: row[columns.version] } : {}),
      },
      job: jobOf(row),
    }));
  }

  /** Ends the lease; due again after `waitMs`, with these columns set. False: the lease was lost, nothing changed. */
  async postpone(
    lease: Lease,
    waitMs: number,
    set: Readonly<Record<string, unknown>> = {},
  ): Promise<boolean> {
    const { name, columns } = this.#table;
    const { id, state, due, attempts, version, postponedAt } = columns;
    const [held, mine] = version
      ? [`${version} = $3`, [lease.version]]
      : [`${state} = $3 AND ${attempts} = $4`, [lease.state, lease.attempts]];
    const at = postponedAt ? `, ${postponedAt} = now()` : '';
    const also = Object.keys(set).map((column, n) => `, ${column} = $${mine.length + n + 3}`);
    const { rowCount } = await this.#store.sql.query(
      `UPDATE ${name} SET ${due} = ${inMs('$2')}${at}${also.join('')} WHERE ${id} = $1 AND ${held}`,
      [lease.id, waitMs, ...mine, ...Object.values(set)],
    );
    return rowCount === 1;
  }
}
