// One event, wherever it is by now: in an outbox, in the ledger of what was sent, in the log, at its consumers.

import type { Pool } from 'pg';
import type { StoredRecord } from '../../log/port.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import type { AskedLog } from './answering.ts';
import { type DeadLetterDetails, readDeadLetter } from './dead-letters.ts';
import { publishedByHand } from './publish.ts';
import type { WholeEvent } from './schemas.ts';

export interface Found {
  /** The module that published it, as far as its own store tells. */
  readonly owner: string | undefined;
  readonly key: string | undefined;
  readonly sequence: number | undefined;
  /** Still in the outbox. */
  readonly waiting: { readonly type: string; readonly data: unknown; readonly createdAt: string } | undefined;
  readonly sentAt: string | undefined;
  /** Its first record in the log; undefined when it was not found there in time. */
  readonly record: StoredRecord | undefined;
  readonly deliveries: readonly DeadLetterDetails[];
  readonly byHand: WholeEvent['byHand'];
}

interface Trace {
  readonly owner: string;
  readonly key: string;
  readonly sequence: number;
  readonly waiting: Found['waiting'];
  readonly sentAt: string | undefined;
}

/** Looking through the log for one id is for people: it may take this long. */
const TIMEOUT_MS = 5_000;

export async function findEvent(
  modules: readonly ModuleEvents[],
  eventLog: AskedLog,
  id: string,
): Promise<Found | undefined> {
  const [traces, letters, byHand] = await Promise.all([
    Promise.all(modules.map((one) => traceOf(one.store.pool, nameOf(one), id))),
    Promise.all(modules.map((one) => readDeadLetter(one.store.pool, nameOf(one), id))),
    publishedByHand(modules, id),
  ]);
  const trace = traces.find((one) => one !== undefined);
  const deliveries = letters.filter((one) => one !== undefined);
  if (!trace && deliveries.length === 0) return undefined;
  const topic = trace ? `${trace.owner}.events` : deliveries[0]!.topic;
  const published = trace?.sentAt ?? deliveries[0]?.receivedAt;
  return {
    owner: trace?.owner,
    key: trace?.key ?? deliveries[0]?.key,
    sequence: trace?.sequence ?? deliveries[0]?.sequence ?? undefined,
    waiting: trace?.waiting,
    sentAt: trace?.sentAt,
    record: published ? await inLog(eventLog, topic, id, published) : undefined,
    deliveries,
    byHand,
  };
}

async function traceOf(pool: Pool, module: string, id: string): Promise<Trace | undefined> {
  const { rows } = await pool.query<{
    key: string;
    sequence: string;
    type: string | null;
    data: unknown;
    created_at: Date | null;
    sent_at: Date | null;
  }>(
    `SELECT key, sequence, type, data, created_at, NULL::timestamptz AS sent_at FROM ${module}.event_outbox WHERE id = $1
     UNION ALL
     SELECT key, sequence, NULL, NULL, NULL, sent_at FROM ${module}.event_sent WHERE id = $1`,
    [id],
  );
  const row = rows[0];
  if (!row) return undefined;
  return {
    owner: module,
    key: row.key,
    sequence: Number(row.sequence),
    waiting: row.created_at
      ? { type: row.type!, data: row.data, createdAt: row.created_at.toISOString() }
      : undefined,
    sentAt: row.sent_at?.toISOString(),
  };
}

/** Between its making, which a UUIDv7 tells, and the moment by which the log had it. */
async function inLog(
  eventLog: AskedLog,
  topic: string,
  id: string,
  by: string,
): Promise<StoredRecord | undefined> {
  const until = new Date(Date.parse(by) + 1_000);
  const from = new Date(Math.min(madeAt(id) ?? until.getTime() - 60_000, until.getTime()) - 1_000);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  try {
    for await (const record of eventLog.read(topic, { from, until, signal: stop.signal }))
      if (record.headers.ce_id === id) return record;
  } catch {
    // The log does not answer, or has no such topic: what the stores know is answer enough.
  } finally {
    clearTimeout(timer);
  }
  return undefined;
}

/** The milliseconds in a UUIDv7; undefined for another kind. */
export function madeAt(id: string): number | undefined {
  const digits = id.replaceAll('-', '');
  return digits[12] === '7' ? Number.parseInt(digits.slice(0, 12), 16) : undefined;
}
