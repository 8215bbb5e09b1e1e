// The ladders of a host: their rows, their operations, and on a monolith the judge. What they need of the rest of the host is
// tied to it here: whom to ask for counts, how a module's background work does, whom to tell.

import { probeAccess } from '../identity/hop.ts';
import { audienceOf } from '../identity/internal-token.ts';
import { type LadderOptions, ladderHandlers } from '../ladder/admin.ts';
import { createAnnouncer } from '../ladder/announcer.ts';
import { createByHand } from '../ladder/by-hand.ts';
import { createMoves, type PlaceIn } from '../ladder/moves.ts';
import { createNotices, noNotices } from '../ladder/notices.ts';
import { createRows } from '../ladder/rows.ts';
import { createWatch, type Watch } from '../ladder/watch.ts';
import type { OnPlaced } from '../placement/admin.ts';
import { collectStats } from '../placement/collect-stats.ts';
import { placeIn } from '../placement/flags.ts';
import { writeNote } from '../placement/history.ts';
import { SILENT_SQL } from '../placement/schema.ts';
import type { HostRow } from '../placement/tables.ts';
import { BackgroundLooks } from './background-looks.ts';
import type { Parts } from './parts.ts';
import { createShadowing } from './shadowing.ts';

export interface HostLadders {
  readonly handlers: ReturnType<typeof ladderHandlers>;
  readonly onPlaced: OnPlaced;
  /** On a monolith alone. */
  readonly watch: Watch | undefined;
  close(): Promise<void>;
}

/** So long a host may take to say what it counted: a second has to fit a second. */
const COLLECT_MS = 700;

/** @param host this one in the registry. */
export function openLadders(parts: Parts, host: string): HostLadders {
  const { settings, control, tokens, metrics, log } = parts;
  const { follower } = control;
  const store = control.store!;
  const notices = settings.notifyUrl === undefined ? noNotices : createNotices(settings.notifyUrl, log);
  const announcer = createAnnouncer(log, notices);
  const rows = { ...createRows(store.sql), ...createMoves(store.change, place, writeNote) };
  const collect = async () => {
    const { rows: live } = await store.sql.query<Pick<HostRow, 'host' | 'id' | 'url' | 'kid'>>(
      `SELECT host, id, url, kid FROM host WHERE live AND NOT (${SILENT_SQL})`,
    );
    return (await collectStats(live, tokens, COLLECT_MS)).hosts;
  };
  const looks = new BackgroundLooks(parts.running, log);
  const shadowing = createShadowing({
    placements: follower,
    contracts: parts.contracts,
    tables: () => store.read(),
    collect,
  });
  const given = { judge: host, rows, store, follower, announcer, shadowing, collect, log };
  const watch =
    settings.role === 'monolith'
      ? createWatch({ ...given, background: (module) => looks.of(module) })
      : undefined;
  // Numbers of other parts are not to be missed while control is away.
  metrics.gauge(
    'banyan_ladder_state',
    '1 for the state of the last ladder of a module',
    ['module', 'state'],
    async () => (await rows.states().catch(() => [])).map((labels) => ({ labels: { ...labels }, value: 1 })),
  );
  const probe: NonNullable<LadderOptions['probe']> = ({ url, id, legacy }) =>
    probeAccess(url, id, tokens.mint(audienceOf(id), legacy));
  return {
    handlers: ladderHandlers({
      store,
      rows,
      follower,
      shadowing,
      announcer,
      probe,
      wake: () => watch?.wake(),
    }),
    onPlaced: createByHand(rows, announcer),
    watch,
    async close() {
      await watch?.stop();
      notices.close();
    },
  };
}

const place: PlaceIn = async (tx, version, module, act, evidence) => {
  const { placement, percent, actor, by, reason } = act;
  return placeIn(tx, version, module, { placement, percent }, { actor, by, reason, evidence });
};
