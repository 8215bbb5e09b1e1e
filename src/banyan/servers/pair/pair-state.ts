// How a pair is: two servers that follow each other, as their own catalogues have it. A server that does not answer is no broken
// pair, it catches up when it is back; one whose slot is gone, or that found other rows than it should, can never be made good
// but by a new copy. Looking keeps a pair that stands (keep-pair.ts), and changes nothing else.
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { type Copied, copiedRows } from './copying.ts';
import { keepPair } from './keep-pair.ts';
import { linkOf, type Moving, type ServerAt } from './moving.ts';
import { endSoon, openSession } from './sessions.ts';

export interface PairState {
  readonly state: 'none' | 'copying' | 'paired' | 'broken';
  readonly rows?: Copied;
  /** What the target has not got. */
  readonly lagBytes: number;
  readonly lagMs: number;
  /** Of the source's log, for the target: what a target that is away costs its disk. */
  readonly keptBytes?: number;
  /** Why it is broken, or who does not answer. */
  readonly reason?: string;
}

/** So often each restart of the other server may count for one. */
const MOST_FAILURES = 3;
const AGAIN_MS = 7_000;
const LOOK_MS = 200;

/** Rejects where the source, the owner of the store, does not answer. */
export async function pairState(source: ServerAt, target: ServerAt, moving: Moving): Promise<PairState> {
  const purpose = `store ${moving.module}`;
  const here = await openSession(source, purpose);
  const there = await openSession(target, purpose).catch((error: Error) => error);
  try {
    let kept: string | undefined;
    if (!(there instanceof Error))
      kept = await keepPair({ server: source, client: here }, { server: target, client: there }, moving).then(
        () => undefined,
        // Somebody else may keep it at the same moment; what lasts is there at the next look, too.
        ({ message }: Error) => message,
      );
    const state = await stateOf(source, target, moving, here, there);
    return kept === undefined || state.reason !== undefined ? state : { ...state, reason: kept };
  } finally {
    endSoon(here);
    if (!(there instanceof Error)) endSoon(there);
  }
}

export async function stateOf(
  source: ServerAt,
  target: ServerAt,
  moving: Moving,
  here: pg.Client,
  there: pg.Client | Error,
): Promise<PairState> {
  const [out, back] = [linkOf(source, target, moving), linkOf(target, source, moving)];
  const lag = await readSlot(here, out);
  const lags = { lagBytes: lag?.bytes ?? 0, lagMs: lag?.ms ?? 0, keptBytes: lag?.kept ?? 0 };
  const returning = await readSubscriptionState(here, back);
  if (there instanceof Error) {
    if (!lag && !returning) return { state: 'none', ...lags, reason: there.message };
    if (!lag || lag.lost) return { state: 'broken', ...lags, reason: lostAt(source, lag?.lost) };
    return { state: returning ? 'paired' : 'copying', ...lags, reason: there.message };
  }
  const following = await readSubscriptionState(there, out);
  if (!following && !returning) return { state: 'none', ...lags };
  const behind = await readSlot(there, back);
  const reason =
    (following && !lag && lostAt(source)) ||
    (lag?.lost && lostAt(source, lag.lost)) ||
    (returning && !behind && lostAt(target)) ||
    (behind?.lost && lostAt(target, behind.lost)) ||
    (returning && !following && `${target.name} does not follow ${source.name} any more`) ||
    wrongOf(target, following) ||
    wrongOf(source, returning) ||
    (await fails(there, target, out, following)) ||
    (await fails(here, source, back, returning));
  if (reason) return { state: 'broken', ...lags, reason };
  if (returning && following?.ready) return { state: 'paired', ...lags };
  return { state: 'copying', ...lags, rows: await copiedRows(here, there, moving, out) };
}

interface Slot {
  readonly bytes: number;
  readonly ms: number;
  readonly kept: number;
  readonly lost: string | null;
}

/** Columns that not every version has are read as JSON. */
async function readSlot(client: pg.Client, name: string): Promise<Slot | undefined> {
  const { rows } = await client.query<Slot>(
    `SELECT greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn), 0)::float8 AS bytes,
       coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::float8 AS kept,
       coalesce(extract(epoch FROM r.replay_lag),
         CASE WHEN s.active THEN 0 ELSE extract(epoch FROM clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz) END,
         0)::float8 * 1000 AS ms,
       CASE WHEN s.wal_status = 'lost' THEN coalesce(to_jsonb(s) ->> 'invalidation_reason', 'wal_removed') END AS lost
     FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid
     WHERE s.slot_name = $1 AND s.database = current_database()`,
    [name],
  );
  return rows[0];
}

function lostAt({ name }: ServerAt, why: string | null = null): string {
  return `the slot on ${name} that keeps what the other has not got is ${why ? `lost (${why})` : 'gone'}`;
}

interface SubscriptionState {
  readonly enabled: boolean;
  readonly ready: boolean;
  readonly works: boolean;
  readonly failures: number;
  /** Rows that were not as they should be, by kind. */
  readonly conflicts: Readonly<Record<string, number>>;
}

async function readSubscriptionState(
  client: pg.Client,
  name: string,
): Promise<SubscriptionState | undefined> {
  const { rows } = await client.query<
    Omit<SubscriptionState, 'conflicts'> & { stats: Record<string, unknown> | null }
  >(
    `SELECT s.subenabled AS enabled,
       NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubid = s.oid AND srsubstate <> 'r') AS ready,
       EXISTS (SELECT FROM pg_stat_subscription a WHERE a.subid = s.oid AND a.pid IS NOT NULL AND a.relid IS NULL) AS works,
       coalesce(e.apply_error_count, 0)::int AS failures, to_jsonb(e) AS stats
     FROM pg_subscription s LEFT JOIN pg_stat_subscription_stats e ON e.subid = s.oid
     WHERE s.subname = $1 AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [name],
  );
  if (!rows[0]) return undefined;
  const { stats, ...follower } = rows[0];
  const conflicts = [
    'insert_exists',
    'update_exists',
    'update_missing',
    'delete_missing',
    'multiple_unique_conflicts',
  ]
    .map((kind) => [kind, Number(stats?.[`confl_${kind}`] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return { ...follower, conflicts: Object.fromEntries(conflicts) };
}

function wrongOf({ name }: ServerAt, follower: SubscriptionState | undefined): string | undefined {
  if (!follower) return undefined;
  if (!follower.enabled) return `somebody disabled the subscription on ${name}`;
  const conflicts = Object.entries(follower.conflicts).map(([kind, count]) => `${count} ${kind}`);
  if (conflicts.length > 0) return `${name} had other rows than it should (${conflicts.join(', ')})`;
  return undefined;
}

/** A worker that fails is started again all 5 s, and fails once more; one whose server was started again goes on. */
async function fails(
  client: pg.Client,
  { name }: ServerAt,
  link: string,
  follower: SubscriptionState | undefined,
): Promise<string | undefined> {
  if (!follower || follower.works || !follower.ready || follower.failures < MOST_FAILURES) return undefined;
  const end = performance.now() + AGAIN_MS;
  for (
    let now: SubscriptionState | undefined = follower;
    now && !now.works;
    now = await readSubscriptionState(client, link)
  ) {
    if (now.failures > follower.failures)
      return `${name} fails to apply what it is sent (${now.failures} times): its log says why`;
    if (performance.now() > end) return undefined;
    await pause(LOOK_MS);
  }
  return undefined;
}
