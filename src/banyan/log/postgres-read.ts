// Reading a topic of the Postgres log outside of any group: pages of each partition, merged by the time at
// which the log got the records; the order within a partition is never changed by the merge.
import type { Pool } from 'pg';
import { type Positions, type ReadOptions, type StoredRecord, saneTime } from './port.ts';

export interface TopicRow {
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
}

export interface RecordRow {
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly headers: unknown;
  readonly value: string | null;
  readonly raw: Buffer | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export function storedRecord(topic: string, row: RecordRow): StoredRecord {
  return {
    topic,
    partition: row.partition,
    offset: row.offset,
    key: row.key,
    headers: textHeaders(row.headers),
    value: row.raw ?? (row.value === null ? null : Buffer.from(row.value)),
    timestamp: saneTime(Math.floor(row.at)),
  };
}

/** The column takes any JSON, and whoever writes to it by SQL may: what is no text is no header. */
function textHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return {};
  for (const name in headers) {
    if (typeof (headers as Record<string, unknown>)[name] === 'string') continue;
    return Object.fromEntries(Object.entries(headers).filter(([, value]) => typeof value === 'string'));
  }
  return headers as Record<string, string>;
}

const PAGE = 500;

export async function* readTopic(
  pool: Pool,
  topic: TopicRow,
  { from, positions: known = {}, until, follow = false, signal }: ReadOptions,
  pollMs: number,
): AsyncIterable<StoredRecord> {
  const start = from ?? (follow ? new Date() : undefined);
  const positions = await firstPositions(pool, topic.id, start, known);
  const end = follow ? undefined : await ends(pool, topic.id);
  while (!signal?.aborted) {
    const pages = await readPages(pool, topic, positions, end, until);
    let read = 0;
    for (const record of merge(pages)) {
      positions.set(record.partition, (BigInt(record.offset) + 1n).toString());
      read += 1;
      yield record;
      if (signal?.aborted) return;
    }
    if (read > 0) continue;
    if (!follow || (until && until.getTime() < Date.now())) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(pollMs, 250));
      signal?.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }
}

async function firstPositions(
  pool: Pool,
  topic: number,
  from: Date | undefined,
  known: Positions,
): Promise<Map<number, string>> {
  const { rows } = await pool.query<{ partition: number; first: string }>(
    'SELECT partition, first FROM banyan_log.begins_of($1, $2)',
    [topic, from ?? null],
  );
  return new Map(rows.map((row) => [row.partition, known[row.partition] ?? row.first]));
}

async function ends(pool: Pool, topic: number): Promise<Map<number, string>> {
  const { rows } = await pool.query<{ partition: number; next: string }>(
    'SELECT partition, next FROM banyan_log.ends_of($1)',
    [topic],
  );
  return new Map(rows.map((row) => [row.partition, row.next]));
}

async function readPages(
  pool: Pool,
  topic: TopicRow,
  positions: ReadonlyMap<number, string>,
  end: ReadonlyMap<number, string> | undefined,
  until: Date | undefined,
): Promise<StoredRecord[][]> {
  const wanted = [...positions].map(([p, o]) => ({ p, o, e: end?.get(p) ?? null }));
  const { rows } = await pool.query<RecordRow>('SELECT * FROM banyan_log.page_of($1, $2::json, $3, $4)', [
    topic.id,
    JSON.stringify(wanted),
    PAGE,
    until ?? null,
  ]);
  const pages = new Map<number, StoredRecord[]>();
  for (const row of rows) {
    const page = pages.get(row.partition) ?? [];
    page.push(storedRecord(topic.name, row));
    pages.set(row.partition, page);
  }
  return [...pages.values()];
}

/** Always the oldest head; stops where a full page ends, since its next record may be older than the others'. */
function* merge(pages: StoredRecord[][]): Iterable<StoredRecord> {
  const heads = pages.map((page) => ({ page, at: 0 }));
  for (;;) {
    let oldest: (typeof heads)[number] | undefined;
    for (const head of heads) {
      const record = head.page[head.at];
      if (!record) {
        if (head.page.length === PAGE) return;
        continue;
      }
      if (!oldest || record.timestamp < oldest.page[oldest.at]!.timestamp) oldest = head;
    }
    if (!oldest) return;
    yield oldest.page[oldest.at]!;
    oldest.at += 1;
  }
}
