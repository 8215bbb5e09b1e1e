// What the doctor is handed by this host: the rows that it reads, the hosts that it asks, the servers that it reaches. Loaded when
// somebody first asks.
import { statfs } from 'node:fs/promises';
import type { Dispatcher } from '../calls/dispatcher.ts';
import { Flips } from '../console/flips.ts';
import { type KnownPieces, pictureOf } from '../console/picture-of.ts';
import { Rates } from '../console/rates.ts';
import { sagaDesks } from '../console/saga-desks.ts';
import { pictureSources } from '../console/sources.ts';
import type { Contract } from '../contract/contract.ts';
import type { Handlers } from '../contract/handlers.ts';
import type { About } from '../doctor/about.ts';
import { askHosts } from '../doctor/asking.ts';
import { checksOf } from '../doctor/checks.ts';
import { readClock } from '../doctor/clocks.ts';
import type { doctor } from '../doctor/contract.ts';
import { createExamination, inTime } from '../doctor/examine.ts';
import type { Ground } from '../doctor/ground.ts';
import type { ServerReading } from '../doctor/server-reading.ts';
import { lateNotices } from '../ladder/notices/notice-rows.ts';
import { countHosts } from '../placement/host-counts.ts';
import { readPlaces, SHARED } from '../placement/store-places.ts';
import { runtimeRole } from '../postgres/roles.ts';
import { createPairRows } from '../servers/tasks/pair-rows.ts';
import { createMoveRows } from '../servers/tasks/rows.ts';
import { expectedOf, readingOf, type ServerHere, serversOf } from './doctor-servers.ts';
import { once } from './once.ts';
import type { Parts } from './parts.ts';

/** Less than a check has: what is late is missing, and the rest is said. */
const PIECE_MS = 2_000;

/** @param own the host's other operations. */
export function doctorHandlers(
  parts: Parts,
  about: () => Promise<About>,
  own: readonly Dispatcher[],
): Handlers<typeof doctor> {
  const examine = createExamination(parts.settings.hostId, async () =>
    checksOf(groundOf(parts, await about(), own)),
  );
  return { examine: () => examine() };
}

/** Of one look. */
function groundOf(parts: Parts, self: About, own: readonly Dispatcher[]): Ground {
  const { settings, control, tokens, contracts, running, database } = parts;
  const store = control.store!;
  const { sql } = store;
  const tables = once(() => store.read());
  const places = once(() => readPlaces(sql));
  const moves = once(() => createMoveRows(sql).open());
  const counts = once(() => countHosts(sql));
  const servers = once(async () => serversOf(settings, await places(), database.servers!));
  const readings = new Map<string, Promise<ServerReading>>();
  return {
    self,
    told: settings.notifyUrl !== undefined,
    sagas: sagaDesks(contracts),
    tables,
    clock: once(() => readClock(async () => (await sql.query<{ ms: number }>(CLOCK_SQL)).rows[0]!.ms)),
    hosts: once(async () =>
      askHosts(
        (await tables()).hosts.filter(({ live }) => live),
        tokens,
        PIECE_MS,
      ),
    ),
    keys: () => store.keys.list(),
    operators: () => store.operators.list(),
    notices: () => lateNotices(sql),
    servers,
    reading: (asked) => {
      const known = readings.get(asked.subject) ?? readingOf(parts, asked as ServerHere);
      readings.set(asked.subject, known);
      return known;
    },
    needs: async ({ subject, modules }) => {
      const found = await counts();
      const all = database.upkeep!.needs({ ...found, monoliths: Math.max(1, found.monoliths) });
      if (subject === SHARED) return all;
      const roles = modules.map(runtimeRole);
      return Object.fromEntries(Object.entries(all).filter(([role]) => roles.includes(role)));
    },
    disk: async ({ asked, folder }) => {
      if (!asked.isHere || folder === null) return undefined;
      const { bavail, blocks, bsize } = await statfs(folder);
      return { free: bavail * bsize, total: blocks * bsize };
    },
    paired: async () =>
      (await places()).flatMap(({ module, server, pairedWith }) =>
        pairedWith === null ? [] : [{ module, server, pairedWith }],
      ),
    pairRows: () => createPairRows(sql).read(),
    expected: once(async () =>
      expectedOf(settings.allModules, await places(), await moves(), database.servers!),
    ),
    log: async () => {
      const wanted = contracts.filter(publishes).map(({ module }) => `${module}.events`);
      const log = parts.eventLogOf();
      return { kind: log.kind, wanted, state: await log.inspect(wanted) };
    },
    picture: () => pictureNow(parts, own),
    oldestDead: async () => {
      const stats = await Promise.all(
        running.map(({ events }) => inTime(PIECE_MS, events.stats()).catch(() => undefined)),
      );
      const ages = stats.flatMap((one) => one?.oldestDeliverySeconds.dead ?? []);
      return ages.length > 0 ? Math.max(...ages) : undefined;
    },
  };
}

const CLOCK_SQL = 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms';

const publishes = ({ events }: Contract) => Object.keys(events).length > 0;

/** As the console draws it, of this moment. */
async function pictureNow(parts: Parts, own: readonly Dispatcher[]) {
  const { settings, control, tokens, metrics } = parts;
  const sources = pictureSources({
    host: settings.role === 'monolith' ? settings.hostId : null,
    own,
    store: control.store!,
    tokens,
    metrics,
  });
  const missing: Record<string, string> = {};
  const piece = async <T>(what: string, ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await inTime(PIECE_MS, ask());
    } catch (error) {
      missing[what] = (error as Error).message;
      return undefined;
    }
  };
  const [tables, overview, events, stores, transfers, stuck] = await Promise.all([
    piece('hosts', () => sources.tables()),
    piece('placements', () => sources.overview()),
    piece('events', () => sources.events()),
    piece('stores', () => sources.stores()),
    piece('transfers', () => sources.transfers()),
    piece('sagas', () => sources.stuck()),
  ]);
  const pieces = { tables, overview, events, stores, transfers, stuck };
  const known = Object.fromEntries(Object.entries(pieces).filter(([, one]) => one !== undefined));
  return (starting: ReadonlySet<string>) =>
    pictureOf({ ...known, missing, starting } as KnownPieces, new Rates(), new Flips(0));
}
