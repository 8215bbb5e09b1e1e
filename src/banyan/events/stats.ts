// How a module's events are doing, in numbers: for metrics, `banyan events` and alarms. Cheap enough to ask
// every few seconds: it reads partial indexes, never the rows that are done.
import type { Pool } from 'pg';
import type { EventLog, Lag } from '../log/port.ts';
import type { DeliveryState } from './delivery.ts';
import { type StandingObstacle, standingObstacles } from './obstacles.ts';
import { type StandingRefusal, standingRefusals } from './refusals.ts';

export interface EventStats {
  readonly module: string;
  readonly outbox: {
    /** Published and not sent. */
    readonly waiting: number;
    /** Seconds since the oldest of them was published; 0 when none waits. */
    readonly oldestSeconds: number;
  };
  readonly relay: {
    /** The host that sends; null when nobody does. */
    readonly holder: string | null;
    /** Events per second over the last minute, by all hosts. */
    readonly perSecond: number;
  };
  /** What this consumer has not taken from the log; null when the log does not answer. */
  readonly lag: readonly TopicLag[] | null;
  /** Deliveries that are not done, by state. */
  readonly deliveries: Readonly<Record<Exclude<DeliveryState, 'done' | 'dropped'>, number>>;
  /** Seconds since the oldest of each state came; states in which none is are left out. */
  readonly oldestDeliverySeconds: Readonly<
    Partial<Record<Exclude<DeliveryState, 'done' | 'dropped'>, number>>
  >;
  /** Keys that go on only when a person decides or a version is deployed. */
  readonly heldKeys: number;
  /** Partitions that this consumer does not read, because something in them cannot be. */
  readonly parked: readonly StandingObstacle[];
  /** What the log does not let this module do, whichever host tries. */
  readonly refused: readonly StandingRefusal[];
}

export interface TopicLag {
  readonly topic: string;
  readonly events: number;
  /** Age of the oldest of them; null when the log cannot tell. */
  readonly seconds: number | null;
}

interface Row {
  readonly waiting: string;
  readonly oldest: number | null;
  readonly holder: string | null;
  readonly sent: string;
  readonly states: Record<string, { readonly n: number; readonly oldest: number }>;
  readonly held: number;
}

/** A log that is away is what an operator asks about: its numbers are not waited for. */
const LOG_TIMEOUT_MS = 3_000;

export async function readStats(
  module: string,
  pool: Pool,
  eventLog: EventLog,
  topics: readonly string[],
): Promise<EventStats> {
  const [{ rows }, lags, parked, refused] = await Promise.all([
    pool.query<Row & Record<string, unknown>>(statement(module)),
    topics.length > 0 ? lagsOf(eventLog, module, topics) : [],
    topics.length > 0 ? standingObstacles(pool, module) : [],
    standingRefusals(pool, module),
  ]);
  const row = rows[0]!;
  return {
    module,
    outbox: { waiting: Number(row.waiting), oldestSeconds: row.oldest ?? 0 },
    relay: { holder: row.holder, perSecond: Number(row.sent) / 60 },
    lag:
      lags &&
      topics.map((topic) => {
        const own = lags.filter((lag) => lag.topic === topic);
        const seconds = own.some((lag) => lag.seconds === null)
          ? null
          : Math.max(0, ...own.map((lag) => lag.seconds ?? 0));
        return { topic, events: own.reduce((sum, lag) => sum + lag.events, 0), seconds };
      }),
    deliveries: {
      ...{ waiting: 0, queued: 0, early: 0, 'unknown-version': 0, dead: 0 },
      ...mapped(row.states, ({ n }) => n),
    },
    oldestDeliverySeconds: mapped(row.states, ({ oldest }) => oldest),
    heldKeys: row.held,
    parked,
    refused,
  };
}

async function lagsOf(
  eventLog: EventLog,
  group: string,
  topics: readonly string[],
): Promise<readonly Lag[] | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, LOG_TIMEOUT_MS, null);
  });
  const asked = eventLog.lag(group, topics).catch(() => null);
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

function mapped<T>(states: Row['states'], of: (one: Row['states'][string]) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(states).map(([state, one]) => [state, of(one)]));
}

function statement(schema: string): string {
  return `
    SELECT
      (SELECT count(*) FROM ${schema}.event_outbox) AS waiting,
      (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM ${schema}.event_outbox ORDER BY position LIMIT 1) AS oldest,
      (SELECT holder FROM ${schema}.event_lease l WHERE name = 'relay' AND NOT ${schema}.event_lease_is_free(l)) AS holder,
      (SELECT count(*) FROM ${schema}.event_sent WHERE sent_at > clock_timestamp() - interval '1 minute') AS sent,
      (SELECT coalesce(json_object_agg(state, json_build_object('n', n, 'oldest', oldest)), '{}') FROM (
         SELECT state, count(*) AS n,
           greatest(0, extract(epoch FROM clock_timestamp() - min(received_at))::float8) AS oldest
         FROM ${schema}.event_delivery
         WHERE state IN ('waiting', 'queued', 'early', 'unknown-version', 'dead') GROUP BY state
       ) s) AS states,
      (SELECT count(DISTINCT (topic, key))::int FROM ${schema}.event_delivery
       WHERE ${schema}.event_is_held(state, holds)) AS held`;
}
