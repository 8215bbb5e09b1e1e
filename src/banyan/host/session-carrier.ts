// Carries what a module said of ended sessions (placement/session-ends.ts) from its schema to control. Every monolith does,
// for the sessions module of the product: at once after a commit of its own process, by LISTEN after one of another,
// and by a look every half second where neither was heard.
// Guarantees: a row goes only after control has it for good; where control takes none it waits, marked, and whoever ends
// further sessions hears so; the module's store may be held or moved meanwhile. Any number may carry the same rows.
// It must not know what a session is.
import { waitAfter } from '../context/backoff.ts';
import { DatabaseSession } from '../log/database-session.ts';
import type { LogLogger } from '../log/port.ts';
import { Signal } from '../log/signal.ts';
import {
  isFlood,
  revokeSessions,
  revokeUsers,
  SESSION_END_CHANNEL,
  type SessionEnd,
} from '../placement/session-ends.ts';
import { onHint } from '../postgres/hint.ts';
import type { ModulePool } from '../postgres/module-pool.ts';
import type { Sql } from '../store/store.ts';

export interface SessionCarrierOptions {
  /** Its schema. */
  readonly module: string;
  readonly pool: ModulePool;
  /** Of the role of control. */
  readonly control: Sql;
  readonly log: LogLogger;
  /** The safety net. Default 500. */
  readonly lookMs?: number;
}

const HINT_MS = 15;
const LOOK_MS = 500;
const MOST = 1_000;
const pauses = { firstMs: 25, longestMs: 500 };

export class SessionCarrier {
  readonly #options: SessionCarrierOptions;
  readonly #session: DatabaseSession;
  readonly #signal = new Signal();
  /** Not raised by what others send: a wait after a failure is a wait. */
  readonly #moved = new Signal();
  readonly #loop: Promise<void>;
  #running = true;
  #failures = 0;

  /** It begins at once. */
  constructor(options: SessionCarrierOptions) {
    this.#options = options;
    const { pool, log } = options;
    this.#session = new DatabaseSession(
      () => ({ ...pool.options, application_name: 'banyan sessions that ended' }),
      {
        channel: SESSION_END_CHANNEL,
        onNotification: onHint(HINT_MS, () => this.wake()),
        log,
        through: (work) => pool.beside(work),
      },
    );
    pool.onSwitch(() => {
      void this.#session.drop();
      this.#moved.raise();
      this.wake();
    });
    this.#loop = this.#run();
  }

  readonly wake = (): void => this.#signal.raise();

  /** Carries what is there, if the last look went well. */
  async close(): Promise<void> {
    this.#running = false;
    this.#moved.raise();
    this.wake();
    await this.#loop;
    await this.#session.close();
  }

  async #run(): Promise<void> {
    const { log, lookMs = LOOK_MS } = this.#options;
    while (true) {
      try {
        if (await this.#carry()) continue;
        if (this.#failures > 0) log.info({}, 'sessions that ended are told to all hosts again');
        this.#failures = 0;
        if (!this.#running) return;
        await this.#signal.wait(lookMs);
      } catch (error) {
        this.#failures += 1;
        if (!this.#running) return;
        this.#tell(error);
        await this.#moved.wait(waitAfter(this.#failures, pauses));
      }
    }
  }

  /** Answers whether there may be more. */
  async #carry(): Promise<boolean> {
    const { module, control } = this.#options;
    const { rows } = await this.#session.query<SessionEnd>(readSql(module), [MOST], 'session_end_read');
    const [users, sessions] = [
      rows.filter((one) => one.session === null),
      rows.filter((one) => one.session !== null),
    ];
    const refused: unknown[] = [];
    for (const [some, revoke] of [
      [users, revokeUsers],
      [sessions, revokeSessions],
    ] as const) {
      if (some.length === 0) continue;
      try {
        await revoke(control, some);
        await this.#session.query(
          `DELETE FROM ${module}.session_end WHERE id = ANY($1)`,
          [idsOf(some)],
          'session_end_over',
        );
      } catch (error) {
        if (!isFlood(error)) throw error;
        refused.push(error);
        await this.#session.query(
          `UPDATE ${module}.session_end SET refused_at = clock_timestamp() WHERE id = ANY($1) AND refused_at IS NULL`,
          [idsOf(some)],
          'session_end_refused',
        );
      }
    }
    if (refused.length > 0) throw refused[0];
    return users.length === MOST || sessions.length === MOST;
  }

  /** Once for each outage, not for a move of the store: that is over in a moment. */
  #tell(error: unknown): void {
    if (this.#failures !== 3) return;
    const level = isFlood(error) ? 'error' : 'warn';
    this.#options.log[level](
      { err: error },
      'sessions that ended are not told to all hosts yet; trying again',
    );
  }
}

/** Either kind by itself: one may be refused while the other has room. */
function readSql(module: string): string {
  const some = (which: string) =>
    `(SELECT id, user_id AS "userId", epoch, session FROM ${module}.session_end WHERE session IS ${which} LIMIT $1)`;
  return `${some('NULL')} UNION ALL ${some('NOT NULL')}`;
}

function idsOf(ends: readonly SessionEnd[]): string[] {
  return ends.map(({ id }) => id);
}
