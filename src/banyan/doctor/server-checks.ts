// Each database server read and judged, and each pair of them. Guarantees: one that hangs leaves the others their time; what else a
// judgement stands on may be away, and the rest of that server is told all the same.
import { aheadOf, clockOf } from './clocks.ts';
import { bounded, type Check } from './examine.ts';
import { error, type Finding, ok, unknown, warning } from './finding.ts';
import type { Ground } from './ground.ts';
import { migrationsOf } from './migrations.ts';
import { orphansOf, pairOf, versionsOfPair } from './pairs.ts';
import type { ServerAsked, ServerReading } from './server-reading.ts';
import { archiveOf, connectionsOf, diskOf, replicationRoomOf } from './server-room.ts';
import { settingsOf, versionOf } from './server-settings.ts';

/** One that hangs must leave the others their time. */
const SERVER_MS = 2_700;
const PART_MS = 1_000;

export async function servers(ground: Ground): Promise<Finding[]> {
  const all = await ground.servers();
  const found = await Promise.all(
    all.map((one) => {
      const { subject, refusal } = one;
      if (refusal !== undefined)
        return [
          unknown(
            'server',
            subject,
            refusal,
            'Ask a monolith that reaches it: BANYAN_URL=… npx banyan doctor',
          ),
        ];
      return bounded({ name: 'server', subject, look: () => server(ground, one) }, SERVER_MS);
    }),
  );
  return found.flat();
}

async function server(ground: Ground, asked: ServerAsked): Promise<Finding[]> {
  let reading: ServerReading;
  try {
    reading = await ground.reading(asked);
  } catch (failure) {
    // One that is known, and that no store is on, is missed by nobody yet.
    const make = asked.modules.length > 0 || asked.isPaired ? error : warning;
    return [
      make(
        'server',
        asked.subject,
        `${(failure as Error).message}; its clock, settings, room, migrations and slots are not checked`,
        'Check that it runs, and host, port, user, password and database of its URL',
      ),
    ];
  }
  const { subject } = asked;
  // What else these stand on may be away, and the rest is known.
  const part = (name: string, whose: string, look: Check['look']) =>
    bounded({ name, subject: whose, look }, PART_MS);
  const clock = `server ${subject}`;
  const parts = await Promise.all([
    part('clock', clock, async () => [clockOf(clock, aheadOf(reading.clock, await ground.clock()))]),
    part('connections', subject, async () => connectionsOf(reading, await ground.needs(asked))),
    part('orphan', subject, async () => orphansOf(reading, await ground.expected())),
    part('disk', subject, async () => {
      const bytes = await ground.disk(reading);
      return bytes ? [diskOf(subject, bytes)] : [];
    }),
  ]);
  return [
    versionOf(reading),
    ...settingsOf(reading),
    ...replicationRoomOf(reading),
    archiveOf(reading),
    ...migrationsOf(reading),
    ...parts.flat(),
  ];
}

export async function pairs(ground: Ground): Promise<Finding[]> {
  const [paired, rows, all] = await Promise.all([ground.paired(), ground.pairRows(), ground.servers()]);
  if (paired.length === 0) return [ok('pair', 'all', 'no store has a server that follows it')];
  const readingOf = async (module: string, name: string) => {
    const asked = all.find(({ subject }) => subject === name || subject === `${name} (${module})`);
    // Why it does not answer is said of the server.
    return asked && asked.refusal === undefined ? ground.reading(asked).catch(() => undefined) : undefined;
  };
  const found = await Promise.all(
    paired.map(async (one) => {
      const [owner, follower] = await Promise.all([
        readingOf(one.module, one.server),
        readingOf(one.module, one.pairedWith),
      ]);
      // In MB; -1: without end.
      const most = Number(owner?.settings.max_slot_wal_keep_size ?? -1);
      const pair = { ...one, mostKept: most > 0 ? most * 1_048_576 : null };
      const row = rows.find(({ module }) => module === one.module);
      return [
        pairOf(pair, row, Date.now()),
        owner && follower
          ? versionsOfPair(pair, owner, follower)
          : unknown(
              'server',
              one.module,
              'one of its two servers does not answer here',
              'See what is found of the servers',
            ),
      ];
    }),
  );
  return found.flat();
}
