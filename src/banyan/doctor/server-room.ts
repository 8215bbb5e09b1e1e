// Whether a database server has room for what hosts may open there, for its pairs, and on its disk. Pure.
import { type ConnectionNeeds, shortOf } from '../postgres/connection-limits.ts';
import { error, type Finding, ok, orWell, warning } from './finding.ts';
import type { ServerReading } from './server-reading.ts';

const OWN_SERVERS = 'docs/operations.md#stores-on-servers-of-their-own';

/** @param needs by role, of the hosts that there are. */
export function connectionsOf({ asked, takes, open }: ServerReading, needs: ConnectionNeeds): Finding[] {
  const { subject } = asked;
  const needed = Object.values(needs).reduce((all, one) => all + one, 0);
  const short = shortOf(needs, takes);
  const few =
    short > 0
      ? [
          error(
            'connections',
            subject,
            `takes ${takes} connections, and hosts may open ${needed}: ${short} too few`,
            `Raise max_connections there by at least ${short}, and restart it: docs/operations.md#replicas`,
          ),
        ]
      : [];
  const full =
    open >= takes * 0.9
      ? [
          warning(
            'connections',
            subject,
            `${open} of ${takes} connections are open`,
            'See whose: SELECT usename, application_name, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC',
          ),
        ]
      : [];
  return orWell(
    [...few, ...full],
    'connections',
    subject,
    `takes ${takes} connections; ${open} are open, and hosts may open ${needed}`,
  );
}

/** What a pair needs is asked before it is made; this is what it may run out of. */
export function replicationRoomOf({ asked, settings, senders, allSlots, slots }: ServerReading): Finding[] {
  const { subject, isPaired } = asked;
  const walLevel = settings.wal_level ?? '';
  const kept = settings.max_slot_wal_keep_size;
  const full = (['max_replication_slots', 'max_wal_senders'] as const).flatMap((name) => {
    const [most, used] = [Number(settings[name]), name === 'max_wal_senders' ? senders : allSlots];
    if (!isPaired || !(most > 0) || used < most) return [];
    return [
      warning(
        'replication',
        subject,
        `${name} = ${most}, and all are in use: a pair that breaks cannot be made anew`,
        `Raise ${name} there, and restart it: ${OWN_SERVERS}`,
      ),
    ];
  });
  const endless =
    kept === '-1' && slots.length > 0
      ? [
          warning(
            'replication',
            subject,
            'max_slot_wal_keep_size = -1: it keeps its log without end for a server that is gone, until its disk is full',
            "Run there: ALTER SYSTEM SET max_slot_wal_keep_size = '4GB'; SELECT pg_reload_conf()",
          ),
        ]
      : [];
  const level =
    isPaired && walLevel !== 'logical'
      ? [
          error(
            'replication',
            subject,
            `wal_level = ${walLevel}: nobody can follow it`,
            `Set wal_level = logical there, and restart it: ${OWN_SERVERS}`,
          ),
        ]
      : [];
  const words = isPaired ? 'has room for its pairs' : `has no pair (wal_level = ${walLevel})`;
  return orWell([...level, ...endless, ...full], 'replication', subject, words);
}

/** What it could not put away stays on its disk. Whether there is a backup at all it does not know. */
export function archiveOf({ asked: { subject }, archive: { mode, failing } }: ServerReading): Finding {
  if (mode === 'off') return ok('archive', subject, 'archives nothing (archive_mode = off)');
  if (failing === null) return ok('archive', subject, 'its log is archived');
  return error(
    'archive',
    subject,
    `its log was not archived, the last time ${failing}: a restore ends before that, and its disk fills`,
    "See why in the server's own log: docs/operations.md#backup-and-restore",
  );
}

const GB = 1_073_741_824;

/** @param bytes of the disk that an embedded server is on. */
export function diskOf(subject: string, bytes: { readonly free: number; readonly total: number }): Finding {
  const share = bytes.free / Math.max(1, bytes.total);
  const words = `${inGb(bytes.free)} of ${inGb(bytes.total)} are free where its files are`;
  const remedy = 'Make room there, or move a store away: docs/operations.md#stores-on-servers-of-their-own';
  if (bytes.free < GB / 4) return error('disk', subject, `${words}: writes fail when none is left`, remedy);
  if (bytes.free < GB || share < 0.05) return warning('disk', subject, words, remedy);
  return ok('disk', subject, words);
}

const inGb = (bytes: number) => `${(bytes / GB).toFixed(1)} GB`;
