// What the log does not let a module do, in its store: so that every host shows it, also when the relay or the consumer
// that is refused runs in another. It is seen again with every attempt, and forgotten by not being seen.
import type { Pool } from 'pg';
import { type LogLogger, LogRefused } from '../log/port.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';
import { textual } from './cloudevents.ts';

export type RefusedPart = 'relay' | 'consumer';

export interface StandingRefusal {
  readonly part: RefusedPart;
  readonly reason: string;
  readonly remedy: string;
  readonly host: string;
  readonly since: string;
}

const SEEN_WITHIN = "interval '1 minute'";
/** Attempts come every second; a row that is written every ten says as much. */
const WRITE_EVERY_MS = 10_000;
/** Without another attempt that was refused it is over. */
const STANDS_MS = 30_000;

export class Refusals {
  readonly #pool: Pool;
  readonly #module: string;
  readonly #host: string;
  readonly #log: LogLogger;
  readonly #security: SecurityLog;
  readonly #written = new Map<RefusedPart, { at: number; reason: string }>();

  constructor(pool: Pool, module: string, host: string, log: LogLogger, security: SecurityLog) {
    this.#security = security;
    this.#pool = pool;
    this.#module = module;
    this.#host = host;
    this.#log = log;
  }

  /** Of any error: what is no refusal is none of this. Never throws, and nobody waits for it. */
  note(part: RefusedPart, error: unknown): void {
    if (!(error instanceof LogRefused)) return;
    const last = this.#written.get(part);
    if (last?.reason === error.wrong && performance.now() - last.at < WRITE_EVERY_MS) return;
    this.#written.set(part, { at: performance.now(), reason: error.wrong });
    this.#security.write({
      event: 'log.access',
      outcome: 'refused',
      actor: { kind: 'service', id: this.#host },
      target: `${part} of ${this.#module}`,
      reason: error.wrong,
    });
    this.#pool
      .query(
        `INSERT INTO ${this.#module}.event_refusal AS r (part, reason, remedy, host) VALUES ($1, $2, $3, $4)
         ON CONFLICT (part) DO UPDATE SET
           since = CASE WHEN r.seen_at > clock_timestamp() - ${SEEN_WITHIN} THEN r.since ELSE clock_timestamp() END,
           reason = excluded.reason, remedy = excluded.remedy, host = excluded.host, seen_at = clock_timestamp()`,
        [part, textual(error.wrong).slice(0, 1_000), textual(error.remedy), this.#host],
      )
      .catch((failure: unknown) =>
        this.#log.debug({ err: failure, module: this.#module }, 'a refusal was not written down'),
      );
  }

  /** What of this process is refused now. */
  get standing(): RefusedPart[] {
    const since = performance.now() - STANDS_MS;
    return [...this.#written].filter(([, { at }]) => at > since).map(([part]) => part);
  }

  /** The part works: what it was refused before is over. */
  over(part: RefusedPart): void {
    if (!this.#written.delete(part)) return;
    this.#pool
      .query(`DELETE FROM ${this.#module}.event_refusal WHERE part = $1`, [part])
      .catch(() => this.#written.set(part, { at: 0, reason: '' }));
  }
}

export async function standingRefusals(pool: Pool, schema: string): Promise<StandingRefusal[]> {
  const { rows } = await pool.query<Omit<StandingRefusal, 'since'> & { since: Date }>(
    `SELECT part, reason, remedy, host, since FROM ${schema}.event_refusal
     WHERE seen_at > clock_timestamp() - ${SEEN_WITHIN} ORDER BY part`,
  );
  return rows.map((row) => ({ ...row, since: row.since.toISOString() }));
}
