// Stores as operators see them: from rows to the answers of the admin API. Pure.

import type { LeftRow } from '../tasks/left-rows.ts';
import type { StoreLocation } from '../tasks/mechanics.ts';
import type { PairRow } from '../tasks/pair-rows.ts';
import type { MoveRow } from '../tasks/rows.ts';
import { isOpen } from '../tasks/steps.ts';
import type { Move, Store, StoreEntry } from './contract.ts';

/** A schema that a module brought beside its own: it belongs to what stands elsewhere. */
export interface Staying {
  readonly module: string;
  readonly schema: string;
}

export const staysOf = (all: readonly Staying[]): Store['stays'] =>
  all.map(({ module, schema }) => ({
    module,
    schema,
    reason: 'it is no part of the store: it has a role and an address of its own, and stays where it is',
  }));

export function entryOf(
  module: string,
  place: StoreLocation | undefined,
  newest: MoveRow | undefined,
  pair: PairRow | undefined,
  lefts: readonly LeftRow[],
): StoreEntry {
  const open = newest && isOpen(newest.walk) ? newest : undefined;
  const paired = place?.pairedWith ? presentOf(pair, newest) : undefined;
  return {
    module,
    server: place?.server ?? 'shared',
    epoch: place?.epoch ?? 0,
    state: stateOf(place, open, paired),
    step: open?.walk.step ?? null,
    lag: paired?.lagBytes ?? null,
    left: leftOf(module, place, lefts),
  };
}

/** One that is in use again is left over no more. */
const leftOf = (
  module: string,
  place: StoreLocation | undefined,
  lefts: readonly LeftRow[],
): StoreEntry['left'] =>
  lefts
    .filter((one) => one.module === module)
    .filter(({ server }) => server !== (place?.server ?? 'shared') && server !== place?.pairedWith)
    .map(({ server, due }) => ({ server, dropAt: due }));

/** What was seen of a pair before a move ended is out of date and not shown, except that the pair broke: that stays so. */
function presentOf(pair: PairRow | undefined, newest: MoveRow | undefined): PairRow | undefined {
  const ended = newest && MOVES.includes(newest.walk.task) ? newest.endedAt : null;
  return pair && ended && pair.state !== 'broken' && pair.lookedAt < ended ? undefined : pair;
}

/** Tasks that change where a store is; a comparison or a dry run does not. */
const MOVES: readonly string[] = ['move', 'rehearse', 'finish', 'abort', 'lose'];

function stateOf(
  place: StoreLocation | undefined,
  open: MoveRow | undefined,
  pair: PairRow | undefined,
): StoreEntry['state'] {
  if (open && MOVES.includes(open.walk.task)) return 'moving';
  if (!place?.pairedWith) return 'single';
  return pair?.state === 'broken' ? 'broken' : 'paired';
}

export function storeOf(
  entry: StoreEntry,
  place: StoreLocation | undefined,
  moves: readonly MoveRow[],
  looked: PairRow | undefined,
  stays: readonly Staying[],
): Store {
  const [newest, ...older] = moves;
  const pair = presentOf(looked, newest);
  const own = stays.filter(({ module }) => module === entry.module);
  return {
    ...entry,
    pairedWith: place?.pairedWith ?? null,
    pair:
      place?.pairedWith && pair
        ? {
            state: pair.state,
            lagBytes: pair.lagBytes,
            lagMs: pair.lagMs,
            reason: pair.reason,
            lookedAt: pair.lookedAt,
          }
        : null,
    stays: staysOf(own),
    move: newest ? moveOf(newest) : null,
    history: older.map(({ id, source, target, walk, startedBy, startedAt, endedAt }) => ({
      id,
      task: walk.task,
      from: source,
      to: target,
      state: walk.state,
      why: walk.why,
      startedBy,
      startedAt,
      endedAt,
    })),
  };
}

function moveOf({ id, source, target, walk, steps, found, startedBy, startedAt, endedAt }: MoveRow): Move {
  const { task, state, step, attempt, why } = walk;
  return {
    id,
    task,
    from: source,
    to: target,
    state,
    step,
    attempt,
    why,
    code: found.code ?? null,
    findings: (found.findings ?? []).map((one) => ({ ...one })),
    steps: steps.map((one) => ({ ...one })),
    rows: found.rows ? { ...found.rows } : null,
    numbers: { ...found.numbers },
    tables: (found.tables ?? []).map((one) => ({ ...one })),
    notes: [...(found.notes ?? [])],
    startedBy,
    startedAt,
    endedAt,
  };
}
