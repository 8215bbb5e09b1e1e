// All checks there are, in one list: what each stands on, and which file judges it. A new one is a function of what it is handed, and
// a line here.
import { isLive } from '../placement/picture.ts';
import { aheadOf, clockOf } from './clocks.ts';
import { topicsOf } from './event-log.ts';
import type { Check } from './examine.ts';
import { error, type Finding, ok, unknown } from './finding.ts';
import type { Ground } from './ground.ts';
import { keysOf, operatorsOf } from './keys.ts';
import { probeOf } from './probes.ts';
import { pairs, servers } from './server-checks.ts';
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
