// What waits in the inbox is tried when it is due: failed events after their pause, queued ones when they reach
// the head of their key. Deliveries are claimed with SKIP LOCKED in the transaction of their effect, so any
// number of replicas may do this at once.
import type { Pool } from 'pg';
import type { LogLogger, StoredRecord } from '../log/port.ts';
import { pollInterval, Signal } from '../log/signal.ts';
import type { Transaction } from '../store/store.ts';
import { policyOf } from './consumer.ts';
import { type Effect, spanOf } from './effect.ts';
import type { Reader, Reading } from './reading.ts';
import type { Semaphore } from './semaphore.ts';
import type { DueRow, Waiting } from './waiting.ts';

export interface RetriesOptions {
  readonly module: string;
  readonly pool: Pool;
  readonly reader: Reader;
  readonly waiting: Waiting;
  readonly effect: Effect;
  readonly semaphore: Semaphore;
  readonly log: LogLogger;
  /** A key whose first event never came goes on without it after this, in milliseconds. Default 10 s. */
  readonly earlyMs?: number;
  readonly pollMs?: number;
}

const AT_ONCE = 20;
const SWEEP_MS = 2_000;

export class Retries {
  handled = 0;
  readonly #options: RetriesOptions;
  readonly #signal = new Signal();
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  #swept = 0;

  constructor(options: RetriesOptions) {
    this.#options = options;
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

  async stop(): Promise<void> {
    this.#running = false;
    this.#signal.raise();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { waiting, semaphore, log, module, pollMs = 1_000, earlyMs = 10_000 } = this.#options;
    let empty = 0;
    while (this.#running) {
      let wait = pollMs;
      try {
        if (Date.now() - this.#swept > SWEEP_MS) {
          this.#swept = Date.now();
          await waiting.releaseEarly(earlyMs);
        }
        const { ids, next } = await waiting.due(AT_ONCE);
        if (ids.length > 0) {
          const tried = await Promise.all(ids.map((id) => semaphore.run(() => this.#try(id))));
          if (tried.some((mine) => mine)) continue;
        }
        empty = ids.length > 0 ? 0 : empty + 1;
        // Nobody announces a delivery that another process made due: look at least every 2 s.
        wait = Math.max(
          20,
          Math.min(next ?? Number.POSITIVE_INFINITY, pollInterval(pollMs, empty), SWEEP_MS),
        );
      } catch (error) {
        log.warn({ err: error, module }, 'waiting events could not be tried; looking again');
      }
      if (this.#running) await this.#signal.wait(wait);
    }
  }

  /** False when another host has it, or it is no longer due. */
  async #try(id: string): Promise<boolean> {
    if (!this.#running) return false;
    const { waiting, pool } = this.#options;
    const row = await waiting.look(id);
    if (!row) return false;
    const reading = this.#read(row);
    if (reading.kind === 'event') return this.#attempt(row, reading);
    const sql = {
      query: async (text: string, values?: readonly unknown[]) =>
        pool.query(text, values as unknown[]) as never,
    };
    if (reading.kind === 'ignored') await waiting.settle(sql, id, 'done', null);
    else if (reading.kind === 'unknown-version')
      await waiting.settle(sql, id, 'unknown-version', reading.reason);
    else await waiting.settle(sql, id, 'dead', reading.reason, reading.holds);
    return true;
  }

  async #attempt(row: DueRow, reading: Extract<Reading, { kind: 'event' }>): Promise<boolean> {
    const { effect, waiting, log, module } = this.#options;
    const { listener, envelope } = reading;
    const attempt = row.attempts + 1;
    const traceparent = spanOf(envelope);
    try {
      const done = await effect.attempt({
        listener,
        envelope,
        topic: row.topic,
        attempt,
        replay: false,
        traceparent,
        enter: async (tx: Transaction) => (await waiting.claim(tx.sql, row.id))?.attempts === row.attempts,
        leave: (tx: Transaction) => waiting.settle(tx.sql, row.id, 'done', null),
      });
      if (done) this.handled += 1;
      return done;
    } catch (error) {
      const policy = policyOf(listener);
      const mine = await waiting.failAgain(row.id, { attempt, error, policy, traceparent });
      if (mine) {
        const last = attempt >= policy.attempts;
        log[last ? 'error' : 'warn'](
          { err: error, module, event: row.id, type: row.type, attempt },
          last ? 'an event was not handled: dead letter' : 'an event was not handled',
        );
      }
      return mine;
    }
  }

  #read(row: DueRow): Reading {
    const record: Pick<StoredRecord, 'key' | 'headers' | 'value'> = {
      key: row.key,
      headers: row.headers ?? {},
      value: row.value,
    };
    return this.#options.reader.read(row.topic, record, row.id);
  }
}
