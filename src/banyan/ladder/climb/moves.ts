// How ladders move: in transactions. Guarantees: a move and the placement that follows from it are one, under the lock that
// orders all placements, so that no kill and no second judge comes between them; what a person placed since the ladder's
// last move stops it before anything else happens. When it moves, and where to, is steps.ts's.
import { randomUUID } from 'node:crypto';
import { writeAct } from '../../placement/act-rows.ts';
import type { Change } from '../../placement/change.ts';
import type { PlaceAnswer } from '../../placement/flags.ts';
import type { Sql } from '../../store/store.ts';
import type { EvidenceRow } from '../judge/evidence.ts';
import { ADVISED, type Policy, type Rung } from '../judge/rungs.ts';
import { isChange } from './changes.ts';
import { type LadderRow, readEvidence, readLadder } from './rows.ts';
import { type Act, begin, type Climb, type Happening, isOpen, isWatched, next } from './steps.ts';

/** What placement says to an act. Other outcomes than `changed` and `same` are refusals: nothing is written then. */
export type Placed = Pick<PlaceAnswer, 'outcome' | 'tooOld'>;

/** For the history: on which rung what was counted, and where the ladder stands since. */
export interface Evidence extends Readonly<Record<string, unknown>> {
  readonly rung: Rung;
  readonly counts: readonly EvidenceRow[];
  readonly now: Pick<Climb, 'state' | 'rung'>;
}

/** Places in a transaction that `Change` has opened. */
export type PlaceIn = (
  tx: Sql,
  version: number,
  module: string,
  act: Act,
  evidence: Evidence | undefined,
) => Promise<Placed>;

/** Writes a change that places nothing into the history, in such a transaction. */
export type NoteIn = (
  tx: Sql,
  version: number,
  module: string,
  who: Pick<Act, 'actor' | 'by' | 'reason'> & { readonly evidence?: Evidence },
) => Promise<void>;

/** Leaves what is to be told of a move in its transaction. */
export type TellIn = (
  tx: Sql,
  module: string,
  moved: Omit<Moved, 'version'>,
  by: string,
  evidence: readonly EvidenceRow[],
) => Promise<void>;

export interface Moved {
  /** Undefined: there was none. */
  readonly before: Climb | undefined;
  readonly after: Climb;
  readonly act: Act | undefined;
  /** The one that hosts have to apply for it to hold everywhere. */
  readonly version: number;
  /** Instead of what was to happen: a person had placed the module before. */
  readonly overtaken?: true;
}

export type Outcome =
  | { readonly moved: Moved }
  /** Of a start: one is under way. */
  | { readonly open: Climb }
  /** The machine's words: it may not. */
  | { readonly refused: string; readonly at?: 'start' }
  /** Placement's word: it cannot. */
  | { readonly unplaced: Placed; readonly act: Act }
  /** There is no ladder of that module, or another judges it. */
  | { readonly none: true };

export interface Moves {
  start(module: string, policy: Policy, by: string): Promise<Outcome>;
  /** @param judge who says so, where it is a judge: it must hold the lease. */
  happen(module: string, happening: Happening, judge?: string): Promise<Outcome>;
  /** A person placed the module, in that transaction: the ladder that was under way or watched, or undefined. */
  placedByHand(
    tx: Sql,
    happening: Extract<Happening, { on: 'placed' }> & { module: string },
  ): Promise<Moved | undefined>;
  /** Has the module watched where a person has just put it, in that transaction; no ladder is needed. */
  guard(tx: Sql, module: string, by: string, percent: number): Promise<void>;
}

/** @param tell where nobody is to be told it does nothing. */
export function createMoves(
  change: Change,
  place: PlaceIn,
  note: NoteIn,
  tell: TellIn = async () => {},
): Moves {
  const tools = { change, place, note, tell };
  return {
    start: (module, policy, by) => start(tools, module, policy, by),

    happen: (module, happening, judge) => happen(tools, module, happening, judge),

    placedByHand: async (tx, { module, ...happening }) => {
      const row = await readLadder(tx, module);
      if (!row?.watched) return undefined;
      const moved = next(row.climb, happening, row.now);
      if ('refused' in moved) return undefined;
      await write(tx, row, moved.climb, row.placed);
      const told: Moved = { before: row.climb, after: moved.climb, act: undefined, version: 0 };
      await tell(tx, module, told, happening.by, []);
      return told;
    },

    guard,
  };
}

interface Tools {
  readonly change: Change;
  readonly place: PlaceIn;
  readonly note: NoteIn;
  readonly tell: TellIn;
}

const unchanged: Placed = { outcome: 'same', tooOld: [] };

const isRefusal = ({ outcome }: Placed) => outcome !== 'changed' && outcome !== 'same';

async function start(
  { change, place, note, tell }: Tools,
  module: string,
  policy: Policy,
  by: string,
): Promise<Outcome> {
  let outcome: Outcome = { none: true };
  const version = await change(async (tx, version) => {
    const before = await readLadder(tx, module);
    if (before && isOpen(before.climb) && !(await placedSince(tx, before))) {
      outcome = { open: before.climb };
      return false;
    }
    const { rows } = await tx.query<{ placement: string; percent: number; now: number }>(
      `SELECT placement, percent, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now
       FROM placement WHERE module = $1`,
      [module],
    );
    if (!rows[0]) return false;
    const begun = begin(policy, rows[0], by, rows[0].now);
    if ('refused' in begun) {
      outcome = { ...begun, at: 'start' };
      return false;
    }
    const { climb, act } = begun;
    const placed = act ? await place(tx, version, module, act, undefined) : unchanged;
    if (act && isRefusal(placed)) {
      outcome = { unplaced: placed, act };
      return false;
    }
    if (placed.outcome === 'same')
      await note(tx, version, module, { actor: 'operator', by, reason: climb.reason });
    await insert(tx, module, climb, by);
    const moved = { before: before?.climb, after: climb, act, version };
    await tell(tx, module, moved, by, []);
    outcome = { moved };
    return true;
  });
  return withVersion(outcome, version);
}

async function happen(
  { change, place, note, tell }: Tools,
  module: string,
  happening: Happening,
  judge: string | undefined,
): Promise<Outcome> {
  let outcome: Outcome = { none: true };
  const version = await change(async (tx, version) => {
    const row = await readLadder(tx, module);
    if (!row || (judge !== undefined && row.judge !== judge)) return false;
    const byHand = row.watched ? await placedSince(tx, row) : undefined;
    const move = next(row.climb, byHand ?? happening, row.now);
    if ('refused' in move) {
      outcome = move;
      return false;
    }
    const { climb, act } = move;
    const counts = happening.on === 'judged' ? happening.judgement.evidence : await readEvidence(tx, module);
    const now = { state: climb.state, rung: climb.rung };
    const evidence = { rung: row.climb.rung, counts, now };
    const placed = act ? await place(tx, version, module, act, evidence) : unchanged;
    if (act && isRefusal(placed)) {
      outcome = { unplaced: placed, act };
      return false;
    }
    // What a person placed is in the history already.
    const told = placed.outcome === 'same' && !byHand && isChange(row.climb, climb);
    if (told) await note(tx, version, module, { ...whoOf(happening, climb), evidence });
    const changed = placed.outcome === 'changed' || told;
    await write(tx, row, climb, changed ? version : row.placed);
    const overtaken = byHand && { overtaken: true as const };
    const moved = { before: row.climb, after: climb, act, version, ...overtaken };
    await tell(
      tx,
      module,
      moved,
      toldBy(happening, overtaken),
      overtaken ? [] : await readEvidence(tx, module),
    );
    outcome = { moved };
    return changed;
  });
  return withVersion(outcome, version);
}

const toldBy = (happening: Happening, overtaken: object | undefined) =>
  happening.on !== 'judged' ? happening.by : overtaken ? 'operator' : 'judge';

function whoOf(happening: Happening, { reason }: Climb): Parameters<NoteIn>[3] {
  return happening.on === 'judged'
    ? { actor: 'judge', by: 'judge', reason }
    : { actor: 'operator', by: happening.by, reason };
}

const withVersion = (outcome: Outcome, version: number): Outcome =>
  'moved' in outcome ? { moved: { ...outcome.moved, version } } : outcome;

/** As a ladder that has come to its end, of a single rung. Placed by the change that is under way. */
async function guard(tx: Sql, module: string, by: string, percent: number): Promise<void> {
  const rung: Rung = percent === 100 ? 'background' : `${percent}`;
  const climb: Climb = {
    state: 'done',
    policy: {
      rungs: [rung],
      minSeconds: ADVISED.minSeconds,
      minRequests: ADVISED.minRequests,
      maxSeconds: ADVISED.maxSeconds,
      confirm: false,
    },
    rung,
    rungSince: Date.now(),
    runningSince: Date.now(),
    ready: false,
    reason: `${by} placed it, to be watched`,
    starved: false,
    frozen: {},
  };
  await insert(tx, module, climb, by);
}

async function insert(tx: Sql, module: string, climb: Climb, by: string): Promise<void> {
  await tx.query('DELETE FROM ladder_evidence WHERE module = $1', [module]);
  await tx.query(
    `INSERT INTO ladder (module, run, climb, watched, placed, started_by) VALUES ($1, $2, $3, true, $4, $5)
     ON CONFLICT (module) DO UPDATE SET run = $2, climb = $3, counted = NULL, watched = true, placed = $4,
       judge = NULL, judge_until = now(), started_by = $5, started_at = now(), changed_at = now()`,
    [module, randomUUID(), JSON.stringify(climb), await lastPlaced(tx, module), by],
  );
  const what = climb.state === 'done' ? 'has it watched where it is' : 'started a ladder';
  await writeAct(tx, { source: 'ladder', module, by, what, detail: { rungs: climb.policy.rungs } });
}

/** What a person placed after the ladder did, also at a host of the version before, which knows no ladder. */
async function placedSince(tx: Sql, { module, placed }: LadderRow): Promise<Happening | undefined> {
  const { rows } = await tx.query<{ by: string; placement: string; percent: number }>(
    `SELECT changed_by AS by, to_placement AS placement, percent FROM placement_audit
     WHERE module = $1 AND version > $2 ORDER BY version DESC LIMIT 1`,
    [module, placed],
  );
  return rows[0] && { on: 'placed', ...rows[0] };
}

async function lastPlaced(tx: Sql, module: string): Promise<number> {
  const { rows } = await tx.query<{ version: number }>(
    'SELECT coalesce(max(version), 0)::float8 AS version FROM placement_audit WHERE module = $1',
    [module],
  );
  return rows[0]!.version;
}

/** Another rung is counted anew. */
async function write(
  tx: Sql,
  { module, climb: before }: LadderRow,
  climb: Climb,
  placed: number,
): Promise<void> {
  const same = before.rung === climb.rung && before.rungSince === climb.rungSince;
  await tx.query(
    `UPDATE ladder SET climb = $2, watched = $3, placed = $4, changed_at = clock_timestamp(),
       counted = CASE WHEN $5 THEN counted END WHERE module = $1`,
    [module, JSON.stringify(climb), isWatched(climb), placed, same],
  );
}
