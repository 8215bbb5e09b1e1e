// How long an event takes from the transaction that published it to its effect at a consumer, and how many were on
// their way at once: from the rows that every consumer keeps. An event's id is a UUIDv7, which holds the moment
// of its publication in milliseconds; its delivery row is written in the transaction of its effect.
import pg from 'pg';
import { createClient } from '../../src/banyan/postgres/connections.ts';

export interface EventTime {
  readonly event: string;
  readonly consumer: string;
  /** As Date.now() counts. */
  readonly publishedMs: number;
  readonly effectMs: number;
}

/** Effects of events that were published in this span, in milliseconds since 1970. */
export async function eventTimes(
  databaseUrl: string,
  modules: readonly string[],
  from: number,
  until: number,
): Promise<EventTime[]> {
  const client = createClient({ connectionString: databaseUrl });
  await client.connect();
  try {
    const found: EventTime[] = [];
    for (const module of modules) {
      const { rows } = await client.query<{ type: string; published: string; effect: string }>(
        `SELECT type,
           extract(epoch FROM uuid_extract_timestamp(id)) * 1000 AS published,
           extract(epoch FROM settled_at) * 1000 AS effect
         FROM ${pg.escapeIdentifier(module)}.event_delivery
         WHERE state = 'done' AND uuid_extract_timestamp(id) BETWEEN to_timestamp($1) AND to_timestamp($2)`,
        [from / 1000, until / 1000],
      );
      for (const { type, published, effect } of rows)
        found.push({
          event: type,
          consumer: module,
          publishedMs: Number(published),
          effectMs: Number(effect),
        });
    }
    return found;
  } finally {
    await client.end();
  }
}

/** The most events that one consumer had not taken yet, at any moment. */
export function highestLag(times: readonly EventTime[]): number {
  let highest = 0;
  for (const consumer of new Set(times.map((one) => one.consumer))) {
    const steps = times
      .filter((one) => one.consumer === consumer)
      .flatMap(({ publishedMs, effectMs }) => [
        [publishedMs, 1],
        [Math.max(effectMs, publishedMs), -1],
      ])
      // Of two at one moment the effect comes first: what was taken at once was never behind.
      .sort(([a, up], [b, down]) => a! - b! || up! - down!);
    let behind = 0;
    for (const [, step] of steps) {
      behind += step!;
      highest = Math.max(highest, behind);
    }
  }
  return highest;
}
