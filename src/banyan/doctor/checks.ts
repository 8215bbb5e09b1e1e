// All checks there are, in one list: what each stands on, and which file judges it. A new one is a function of what it is handed, and
// a line here.
import { isLive } from '../placement/picture.ts';
import { aheadOf, clockOf } from './clocks.ts';
import { topicsOf } from './event-log.ts';
import { bounded, type Check } from './examine.ts';
import { error, type Finding, ok, unknown, warning } from './finding.ts';
import type { Ground } from './ground.ts';
import { keysOf, operatorsOf } from './keys.ts';
import { migrationsOf } from './migrations.ts';
import { orphansOf, pairOf, versionsOfPair } from './pairs.ts';
import { probeOf } from './probes.ts';
import type { ServerAsked, ServerReading } from './server-reading.ts';
import { connectionsOf, diskOf, replicationRoomOf } from './server-room.ts';
import { settingsOf, versionOf } from './server-settings.ts';
import { sharesOf, standingOf } from './standing.ts';
import { filesOf, type HostSaid, noticesOf, secretsOf, telemetryOf } from './surroundings.ts';
import { versionsOf } from './versions.ts';

export function checksOf(ground: Ground): readonly Check[] {
  const check = (name: string, subject: string, look: () => Promise<readonly Finding[]>): Check => ({
    name,
    subject,
    look,
  });
  return [
    check('control', 'control store', () => control(ground)),
    check('hosts', 'all', () => hosts(ground)),
    check('notices', 'NOTIFY_URL', async () =>
      noticesOf(await saidBy(ground), await ground.notices(), ground.told),
    ),
    check('key', 'hosts', async () =>
      keysOf(
        (await ground.hosts()).map(({ row }) => row),
        await ground.keys(),
        Date.now(),
      ),
    ),
    check('operator', 'tokens', async () => operatorsOf(await ground.operators(), Date.now())),
    check('server', 'all', () => servers(ground)),
    check('pair', 'all', () => pairs(ground)),
    check('topic', 'all', async () => {
      const { kind, wanted, state } = await ground.log();
      return topicsOf(state, kind, wanted, ground.self.production);
    }),
    check('standing', 'all', () => standing(ground)),
  ];
}

async function control({ tables }: Ground): Promise<Finding[]> {
  try {
    const began = performance.now();
    await tables();
    return [
      ok(
        'control',
        'control store',
        `answers within ${Math.max(1, Math.round(performance.now() - began))} ms`,
      ),
    ];
  } catch (failure) {
    return [
      error(
        'control',
        'control store',
        (failure as Error).message,
        'Start its PostgreSQL; placements stand still meanwhile, and requests go on: docs/operations.md#what-to-watch',
      ),
    ];
  }
}

async function hosts(ground: Ground): Promise<Finding[]> {
  const [seen, clock, { hosts: rows }] = await Promise.all([ground.hosts(), ground.clock(), ground.tables()]);
  return [
    ...seen.map((one) => probeOf(one, rows.filter(isLive))),
    ...seen.flatMap(({ row, clock: theirs }) => {
      if (theirs) return [clockOf(row.id, aheadOf(theirs, clock))];
      return [
        unknown(
          'clock',
          row.id,
          'it does not say what time it is there',
          `See what else is found of ${row.id}`,
        ),
      ];
    }),
    ...seen.flatMap((one) => versionsOf(one, ground.self)),
    ...(await saidBy(ground)).flatMap((one) => [...filesOf(one), ...secretsOf(one), ...telemetryOf(one)]),
  ];
}

async function saidBy(ground: Ground): Promise<HostSaid[]> {
  return (await ground.hosts()).flatMap(({ row: { id, role }, about }) =>
    'answer' in about ? [{ id, role, about: about.answer }] : [],
  );
}

/** One that hangs must leave the others their time. */
const SERVER_MS = 2_700;
const PART_MS = 1_000;

async function servers(ground: Ground): Promise<Finding[]> {
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
    ...migrationsOf(reading),
    ...parts.flat(),
  ];
}

async function pairs(ground: Ground): Promise<Finding[]> {
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

async function standing(ground: Ground): Promise<Finding[]> {
  // A host that hangs takes most of the time there is: the rest is read meanwhile.
  const [seen, { hosts: rows }, drawn, oldestDead] = await Promise.all([
    ground.hosts(),
    ground.tables(),
    ground.picture(),
    ground.oldestDead(),
  ]);
  const starting = seen.filter(({ ready }) => 'answer' in ready && ready.answer.words.startsWith('starting'));
  const picture = drawn(new Set(starting.map(({ row }) => row.host)));
  const said = new Set(
    seen.filter((one) => probeOf(one, rows.filter(isLive)).level !== 'ok').map(({ row }) => row.id),
  );
  return [...standingOf({ picture, oldestDead, sagas: ground.sagas, said }), ...sharesOf(picture)];
}
