// Takes a module's outbox to the log: claim, append, finish, in order within each key.
//
//   standby ──lease free──> leading ──rows──> claimed ──append──> produced ──finish──> leading
//      ^                       │                 │ the log does not take them: pause, claim again
//      └──lease lost, stop─────┘                 v
//
// While one batch is appended the next is claimed, and while that is appended the first is finished; to a log that is
// better fed in rounds (`appendEveryMs`) only after a full batch.
//
// Guarantees: a row leaves the outbox only after the log has acknowledged it; the first time an event appears
// in the log it comes after all earlier ones of its key. Relays may overlap (a frozen one wakes and sends its
// old batch again): then events are repeated on the wire, and the inboxes drop what they have seen.
// It must not know what an event means or who consumes it.
import { setTimeout as pause } from 'node:timers/promises';
import { waitAfter } from '../context/backoff.ts';
import { DatabaseSession } from '../log/database-session.ts';
import { type EventLog, type LogLogger, LogRefused } from '../log/port.ts';
import { pollInterval, Signal } from '../log/signal.ts';
import { onHint } from '../postgres/hint.ts';
import type { ModulePool } from '../postgres/module-pool.ts';
import { Lease } from './lease.ts';
import { Outbox, type OutboxRow } from './outbox.ts';

/** The boundaries at which a test may kill or freeze the process. */
export type RelayStep = 'before-claim' | 'after-claim' | 'after-produce' | 'after-finish';

export interface RelayOptions {
  readonly module: string;
  /** The module's topic; created when it is missing. */
  readonly topic: string;
  readonly pool: ModulePool;
  readonly eventLog: EventLog;
  readonly hostId: string;
  readonly log: LogLogger;
  readonly step?: (step: RelayStep, ids: readonly string[]) => Promise<void> | void;
  /** A round failed; or one went well. */
  readonly onRound?: (error?: unknown) => void;
  /** What was sent now, for traces: how long each waited in the outbox. */
  readonly onSent?: (events: readonly SentEvent[]) => void;
  /** Rows per claim. Default 1000. */
  readonly batch?: number;
  /** A frozen holder loses the lease after this. Default 4000. */
  readonly leaseMs?: number;
  /** The safety net: how often it looks when nothing woke it. Default 1000. */
  readonly pollMs?: number;
}

export interface SentEvent {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly traceparent: string | null;
  /** When it was published, RFC 3339. */
  readonly time: string;
}

const STANDBY_MS = 400;
/** As often at most it looks because others say so. */
const HINT_MS = 15;
const pauses = { firstMs: 100, longestMs: 5_000 };

export class Relay {
  readonly name: string;
  /** Events sent since this process began. */
  sent = 0;
  readonly #options: Required<Pick<RelayOptions, 'batch' | 'leaseMs' | 'pollMs'>> & RelayOptions;
  readonly #signal = new Signal();
  readonly #session: DatabaseSession;
  readonly #lease: Lease;
  readonly #outbox: Outbox;
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  /** Rounds in a row that failed. */
  #failures = 0;
  /** Looks in a row that found nothing. */
  #empty = 0;
  /** When the last round that found something began. */
  #sentFrom = Number.NEGATIVE_INFINITY;
  /** The switch of servers that was told last. */
  #told = 0;
  /** The log has the topic, as far as is known. */
  #topicThere = false;
  /** The server on which this leads; another one counts its transactions anew. */
  #epoch = 0;

  constructor(options: RelayOptions) {
    this.#options = { batch: 1_000, leaseMs: 4_000, pollMs: 1_000, ...options };
    const { module, pool, log } = options;
    this.name = `relay of ${module}`;
    this.#session = new DatabaseSession(
      () => ({ ...pool.options, application_name: `banyan relay ${module}` }),
      {
        channel: channelOf(module),
        onNotification: onHint(HINT_MS, () => this.wake()),
        log,
        through: (work) => pool.beside(work),
      },
    );
    pool.onSwitch(() => {
      void this.#session.drop();
      this.wake();
    });
    this.#lease = new Lease({
      schema: module,
      name: 'relay',
      holder: options.hostId,
      session: this.#session,
      ttlMs: this.#options.leaseMs,
    });
    this.#outbox = new Outbox(module, this.#session, this.#options.batch);
  }

  /** This process sends the module's events now, as far as it knows. */
  get leading(): boolean {
    return this.#lease.held;
  }

  wake(): void {
    this.#signal.raise();
  }

  async start(): Promise<void> {
    if (this.#running) return;
    await this.#loop;
    this.#running = true;
    this.#loop = this.#run();
  }

  /** Finishes the batch in hand and hands over the lease. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#signal.raise();
    await this.#loop;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#session.close();
  }

  async #run(): Promise<void> {
    while (this.#running) {
      try {
        if (!(await this.#lead())) await this.#signal.wait(STANDBY_MS);
        else {
          await this.#makeTopic();
          this.#empty = (await this.#drain()) ? 0 : this.#empty + 1;
          this.#options.onRound?.();
          if (this.#running) await this.#idle();
        }
        this.#failures = 0;
      } catch (error) {
        this.#outbox.lookAgain();
        this.#topicThere = false;
        this.#tell(error);
        this.#options.onRound?.(error);
        this.#failures += 1;
        if (this.#running) await this.#signal.wait(waitAfter(this.#failures, pauses));
      }
    }
    await this.#lease.release().catch(() => this.#lease.forget());
    this.#outbox.lookAgain();
    await this.#session.drop();
  }

  /** That the store went to another server meanwhile is no trouble. */
  #tell(error: unknown): void {
    const { module, pool, log } = this.#options;
    const refused = error instanceof LogRefused;
    if (refused || pool.epoch === this.#epoch) {
      log[refused ? 'error' : 'warn']({ err: error, module }, 'events could not be sent; trying again');
      return;
    }
    const again = this.#told === pool.epoch;
    this.#told = pool.epoch;
    log[again ? 'debug' : 'info'](
      { module },
      'the store is on another server now; events are sent from there',
    );
  }

  async #lead(): Promise<boolean> {
    if (this.#lease.held && this.#session.open) {
      if (await this.#lease.keep()) return true;
      this.#options.log.info({ module: this.#options.module }, 'another host sends the events now');
    }
    this.#lease.forget();
    this.#outbox.lookAgain();
    this.#epoch = this.#options.pool.epoch;
    // A standby asks through the pool, so that it needs no session of its own.
    const { module, pool } = this.#options;
    const { rows } = await pool.query<{ free: boolean }>(
      `SELECT ${module}.event_lease_is_free(l) AS free FROM ${module}.event_lease l WHERE name = 'relay'`,
    );
    if (!rows[0]?.free) {
      await this.#session.drop();
      return false;
    }
    if (!(await this.#lease.take())) return false;
    this.#topicThere = false;
    this.#options.log.debug({ module }, 'this host sends the events now');
    return true;
  }

  /** Also after each failure: the topic may never have been made, or a broker came back without it. */
  async #makeTopic(): Promise<void> {
    if (this.#topicThere) return;
    await this.#options.eventLog.ensureTopics([this.#options.topic]);
    this.#topicThere = true;
  }

  /**
   * Waits for a signal; renews the lease on the way. The session that claims also listens: while it is open a poll
   * finds only what a process committed that was killed before it could say so.
   */
  async #idle(): Promise<void> {
    const { pollMs, leaseMs } = this.#options;
    await this.#signal.wait(Math.min(pollInterval(pollMs, this.#empty), leaseMs / 2));
    await this.#rest();
  }

  /** What comes alone leaves at once; what comes all the time leaves in rounds, each for all that came meanwhile. */
  async #rest(): Promise<void> {
    const rest = this.#sentFrom + this.#options.eventLog.appendEveryMs - performance.now();
    if (rest <= 0 || !this.#running) return;
    await pause(rest);
    this.#signal.lower();
  }

  /**
   * One claim, one append, one statement to finish; while a batch is appended the next one is claimed, if there is
   * one. Appends never overlap, and of one key a later claim has later events. Resolves when nothing is left, or nothing
   * that cannot wait for the next round; answers whether there was anything.
   */
  async #drain(): Promise<boolean> {
    const { step, eventLog, batch } = this.#options;
    const began = performance.now();
    let rows = await this.#claim([]);
    const found = rows.length > 0;
    if (found) this.#sentFrom = began;
    let finishing: Promise<void> = Promise.resolve();
    while (rows.length > 0) {
      const ids = rows.map((row) => row.id);
      await step?.('after-claim', ids);
      const more = rows.length === batch || (this.#signal.raised && eventLog.appendEveryMs === 0);
      const next = more && this.#running ? this.#claim(rows) : undefined;
      // Looked at below, also when the append fails.
      next?.catch(() => {});
      // Both have ended before anything else is tried: appends never overlap.
      for (const one of await Promise.allSettled([this.#append(rows), finishing]))
        if (one.status === 'rejected') throw one.reason;
      await step?.('after-produce', ids);
      finishing = this.#finish(rows, ids);
      finishing.catch(() => {});
      if (!next) break;
      rows = await next;
      if (!this.#running || !(await this.#lease.keep())) break;
    }
    await finishing;
    return found;
  }

  async #claim(inHand: readonly OutboxRow[]): Promise<readonly OutboxRow[]> {
    await this.#options.step?.('before-claim', []);
    const rows = await this.#outbox.claim(inHand);
    this.#mustBeThere();
    return rows;
  }

  /** What was claimed on one server is never finished on another: it is claimed again there, and may be sent twice. */
  #mustBeThere(): void {
    if (this.#epoch === this.#options.pool.epoch) return;
    this.#lease.forget();
    throw new Error(`The store of ${this.#options.module} is on another server now`);
  }

  async #finish(rows: readonly OutboxRow[], ids: readonly string[]): Promise<void> {
    const { step, onSent } = this.#options;
    this.#mustBeThere();
    await this.#outbox.finish(rows);
    this.#mustBeThere();
    await step?.('after-finish', ids);
    this.#outbox.sent(rows);
    this.sent += rows.length;
    onSent?.(rows);
  }

  /** The lease is renewed beside a slow append: its holder is not gone because the log is slow. */
  async #append(rows: readonly OutboxRow[]): Promise<void> {
    const keeper = setInterval(() => void this.#lease.keep().catch(() => {}), this.#options.leaseMs / 4);
    try {
      const byTopic = Map.groupBy(rows, (row) => row.topic);
      for (const [topic, some] of byTopic)
        await this.#options.eventLog.append(
          topic,
          some.map((row) => this.#outbox.recordOf(row)),
        );
    } finally {
      clearInterval(keeper);
    }
  }
}

/** The channel on which other processes tell a relay that they committed something. */
export function channelOf(module: string): string {
  return `banyan_outbox_${module}`;
}
