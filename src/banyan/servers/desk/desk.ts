// What the handlers of stores stand on: the picture of a store, of one instant as far as a person can tell, and every reason
// why something is not begun, with what to do.
import { type Problem, problem } from '../../contract/problem.ts';
import type { ControlStore } from '../../placement/store.ts';
import type { LeftRows } from '../tasks/left-rows.ts';
import type { Places, Reach, StoreLocation } from '../tasks/mechanics.ts';
import type { PairRow, PairRows } from '../tasks/pair-rows.ts';
import type { MoveRow, MoveRows } from '../tasks/rows.ts';
import { type Store, type StoreEntry, stores } from './contract.ts';
import { moveRunning, notPaired } from './refusals.ts';
import { entryOf, type Staying, staysOf, storeOf } from './shown.ts';

export interface Ground {
  readonly store: Pick<ControlStore, 'read'>;
  readonly rows: MoveRows;
  readonly pairs: PairRows;
  readonly lefts: LeftRows;
  readonly places: Places;
  readonly reach: Reach;
  /** Schemas that are no part of a store, though a module brought them. */
  readonly stays: readonly Staying[];
  /** Live hosts that know nothing of stores that move. */
  readonly tooOld: () => Promise<readonly string[]>;
}

export interface Seen {
  readonly shown: StoreEntry;
  readonly place: StoreLocation | undefined;
  readonly newest: MoveRow | undefined;
  readonly pair: PairRow | undefined;
}

export interface Desk {
  list(): Promise<{ items: StoreEntry[]; stays: Store['stays'] }>;
  /** Throws module-unknown. */
  entry(module: string): Promise<Seen>;
  show(module: string): Promise<Store>;
  /** The server that follows; of a single one that from which it came. */
  wayBack(module: string): Promise<string>;
  refuseUnreachable(module: string, servers: readonly string[]): Promise<void>;
  refuseTooOld(module: string): Promise<void>;
  running(module: string): Promise<Problem>;
}

const SHARED = 'shared';
const HISTORY = 21;

export function openDesk(ground: Ground): Desk {
  const { store, rows, pairs, lefts, places, reach, stays, tooOld } = ground;

  const modules = async () => (await store.read()).placements.map(({ module }) => module);

  const known = async (module: string): Promise<void> => {
    const all = await modules();
    if (all.includes(module)) return;
    throw problem(stores, 'module-unknown', {
      detail: `There is no module "${module}". There are: ${all.join(', ')}.`,
    });
  };

  const entry = async (module: string): Promise<Seen> => {
    await known(module);
    const [all, [newest], looked, left] = await Promise.all([
      places.read(),
      rows.of(module, 1),
      pairs.read(),
      lefts.read(),
    ]);
    const place = all.find((one) => one.module === module);
    const pair = looked.find((one) => one.module === module);
    return { shown: entryOf(module, place, newest, pair, left), place, newest, pair };
  };

  return {
    entry,

    list: async () => {
      const [all, where, newest, looked, left] = await Promise.all([
        modules(),
        places.read(),
        rows.newest(),
        pairs.read(),
        lefts.read(),
      ]);
      const of = <T extends { readonly module: string }>(list: readonly T[], module: string) =>
        list.find((one) => one.module === module);
      const items = all.map((module) =>
        entryOf(module, of(where, module), of(newest, module), of(looked, module), left),
      );
      return { items, stays: staysOf(stays) };
    },

    show: async (module) => {
      const [{ shown, place, pair }, moves] = await Promise.all([entry(module), rows.of(module, HISTORY)]);
      return storeOf(shown, place, moves, pair, stays);
    },

    wayBack: async (module) => {
      const { place, shown } = await entry(module);
      if (place?.pairedWith) return place.pairedWith;
      if (shown.server !== SHARED) return SHARED;
      throw notPaired(module);
    },

    refuseUnreachable: async (module, servers) => {
      const why = servers.flatMap((server) => reach.refusal(module, server)?.replace(/\.$/, '') ?? []);
      if (why.length > 0) throw problem(stores, 'server-unknown', { detail: `${why.join('; ')}.` });
    },

    refuseTooOld: async (module) => {
      const old = await tooOld();
      if (old.length === 0) return;
      throw problem(stores, 'host-too-old', {
        detail:
          `${old.join(', ')} would go on writing to the old server: ${old.length === 1 ? 'it is' : 'they are'} of a version ` +
          `before stores moved. Replace ${old.length === 1 ? 'it' : 'them'} first; ${module} stays where it is.`,
      });
    },

    running: async (module) => {
      const [newest] = await rows.of(module, 1);
      return moveRunning(module, newest);
    },
  };
}
