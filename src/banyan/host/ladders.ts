// The ladders of a host: their rows, their operations, and on a monolith the judge. What they need of the rest of the host is
// tied to it here: whom to ask for counts, how a module's background work does, whom to tell.

import { Problem } from '../contract/problem.ts';
import { probeAccess } from '../identity/hop.ts';
import { audienceOf } from '../identity/internal-token.ts';
import { createMoves, type PlaceIn, type TellIn } from '../ladder/climb/moves.ts';
import { createRows } from '../ladder/climb/rows.ts';
import { type LadderOptions, ladderHandlers } from '../ladder/desk/admin.ts';
import { createByHand } from '../ladder/desk/by-hand.ts';
import { policyFor } from '../ladder/desk/refusals.ts';
import { createAnnouncer, noticeOf } from '../ladder/notices/announcer.ts';
import { createNoticeRows, leaveNotice } from '../ladder/notices/notice-rows.ts';
import { createNotices, noNotices } from '../ladder/notices/notices.ts';
import { createWatch } from '../ladder/watch.ts';
import type { OnPlaced } from '../placement/admin.ts';
import { collectStats } from '../placement/collect-stats.ts';
import { placeIn } from '../placement/flags.ts';
import { writeNote } from '../placement/history.ts';
import { SILENT_SQL } from '../placement/schema.ts';
import type { HostRow } from '../placement/tables.ts';
import type { TransferLadder } from '../placement/transfer-rows.ts';
import { BackgroundLooks } from './background-looks.ts';
import { createBesides } from './besides.ts';
import type { Parts } from './parts.ts';
import { createShadowing } from './shadowing.ts';

export interface HostLadders {
  readonly handlers: ReturnType<typeof ladderHandlers>;
  readonly onPlaced: OnPlaced;
  /** Why a module cannot climb such a ladder, whatever runs; undefined: it can. */
  readonly refusal: (module: string, wish: TransferLadder) => Promise<string | undefined>;
  readonly besides: ReturnType<typeof createBesides>;
  /** Why the last notice from here did not arrive, if it did not. */
  readonly undelivered: () => string | undefined;
  /** Judges, on a monolith, and sends what is to be told. */
  start(): void;
  close(): Promise<void>;
}

/** So long a host may take to say what it counted: a second has to fit a second. */
const COLLECT_MS = 700;

/** @param host this one in the registry. */
export function openLadders(parts: Parts, host: string): HostLadders {
  const { settings, control, tokens, metrics, log } = parts;
  const { follower } = control;
  const store = control.store!;
  const url = settings.notifyUrl;
  const notices =
    url === undefined ? noNotices : createNotices({ url, rows: createNoticeRows(store.sql), log });
  const announcer = createAnnouncer(log, notices);
  const rows = {
    ...createRows(store.sql),
    ...createMoves(store.change, place, writeNote, url === undefined ? undefined : tellIn),
  };
  const collect = async () => {
    const { rows: live } = await store.sql.query<Pick<HostRow, 'host' | 'id' | 'url' | 'kid' | 'role'>>(
      `SELECT host, id, url, kid, role FROM host WHERE live AND NOT (${SILENT_SQL})`,
    );
    const services = new Set(live.filter(({ role }) => role === 'service').map(({ host: one }) => one));
    const { hosts } = await collectStats(live, tokens, COLLECT_MS);
    return hosts.map((one) => ({ ...one, isFar: services.has(one.host) }));
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
    refusal: (module, wish) => refusalOf(policyFor({ store, shadowing }, module, wish)),
    besides: createBesides(rows, shadowing),
    undelivered: () => notices.trouble(),
    start() {
      watch?.start();
      notices.start();
    },
    async close() {
      await watch?.stop();
      await notices.close();
    },
  };
}

/** Its words, where that is refused; what fails otherwise fails here, too. */
const refusalOf = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error) => {
      if (error instanceof Problem && error.status < 500) return error.message;
      throw error;
    },
  );

/** What is written seldom would not be judged by a share of it: so many make known what is noise, and as many are compared. */
const FIRST_WRITES = 60;

const place: PlaceIn = async (tx, version, module, act, evidence) => {
  const { placement, percent, actor, by, reason } = act;
  const mirror = placement === 'shadow' ? { mirror: { first: FIRST_WRITES } } : {};
  return placeIn(tx, version, module, { placement, percent, ...mirror }, { actor, by, reason, evidence });
};

const tellIn: TellIn = async (tx, module, moved, by, evidence) => {
  const notice = noticeOf(module, moved, by, evidence);
  if (notice) await leaveNotice(tx, notice);
};
