// Every defect of the table, on a real shop: modules climb, each with a defect. It is
// found at the first rung that can show it, in words that name it, and never climbed past.
import { type Climbing, type Found, play } from '../../defects/play.ts';
import { openDefectiveShop } from '../../defects/shop.ts';
import { type Defect, setDefects } from '../../defects/switch.ts';
import { type Row, TABLE } from '../../defects/table.ts';
import { figure, type Outcome, type Play } from './outcome.ts';

export interface DefectSizes extends Climbing {
  /** Those that are found in a share: two modules climb at a time. */
  readonly sideBySide: boolean;
}

/** As advised, but for the least time: a bad verdict does not wait for it, and a defect that needs traffic gets it. */
export const FULL: DefectSizes = {
  minSeconds: 20,
  minRequests: 300,
  shares: [1, 10, 50],
  perSecond: { shadow: 50, shares: 250 },
  mostSeconds: 240,
  sideBySide: false,
};

/** Small, for the long suite: few shadows a second, as a small machine that has too much to do leaves off mirroring for 30 s. */
export const SMALL: DefectSizes = {
  minSeconds: 2,
  minRequests: 300,
  shares: [50],
  perSecond: { shadow: 25, shares: 100 },
  mostSeconds: 60,
  sideBySide: true,
};

/** A machine that is busy at one moment may have time at another: so long after its begin a row is tried once more. */
const PATIENCE_MS = 150_000;

export interface DefectsOutcome {
  readonly found: readonly Found[];
  readonly seconds: number;
  /** Sentences; none: all held. */
  readonly wrong: readonly string[];
}

export async function defects(
  sizes: DefectSizes,
  progress: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<DefectsOutcome> {
  const began = performance.now();
  progress('starting: PostgreSQL, a monolith, a process each of catalog, orders and users');
  const shop = await openDefectiveShop(signal);
  try {
    const modules = [...new Set(TABLE.map(({ module }) => module))];
    await Promise.all(
      modules.map((module) => shop.admin('PUT', `/admin/services/${module}`, { instances: 1 })),
    );
    const now: Record<string, Defect> = {};
    const played = async (row: Row): Promise<Found> => {
      now[row.module] = row.defect;
      setDefects(shop.dataDir, now);
      // The one before may have ended it.
      await shop.admin('PUT', `/admin/services/${row.module}`, { instances: 1 });
      const last = Date.now() + PATIENCE_MS;
      for (;;) {
        const found = await play(shop, row, sizes, signal);
        const { name, state, rung, seconds, reason, unfit } = found;
        progress(`${name}: ${state} at ${rung} after ${seconds.toFixed(0)} s; ${unfit ?? reason}`);
        if (unfit === undefined || Date.now() > last) return found;
      }
    };
    const [shadows, shares] = [TABLE.filter(({ shadow }) => shadow), TABLE.filter(({ shadow }) => !shadow)];
    const found: Found[] = [];
    // A host that has too much to do leaves off mirroring: one shadow after the other.
    for (const row of sizes.sideBySide ? shadows : TABLE) found.push(await played(row));
    if (sizes.sideBySide) found.push(...(await inParallel(shares.map(played))));
    const wrong = found.flatMap((one) => one.wrong.map((sentence) => `${one.name}: ${sentence}`));
    return { found, seconds: (performance.now() - began) / 1000, wrong };
  } finally {
    await shop.stop();
  }
}

/** Whoever fails, none of them goes on when the shop ends. */
async function inParallel<T>(all: readonly Promise<T>[]): Promise<T[]> {
  const ended = await Promise.allSettled(all);
  return ended.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** As a piece of `npm run rehearse -- ladder`. */
export async function playDefects({ say, signal }: Play): Promise<Outcome> {
  const { found, seconds, wrong } = await defects(FULL, (line) => say(`defects: ${line}`), signal);
  return {
    piece: 'defects',
    command: 'npm run rehearse -- ladder defects',
    seconds,
    table: [
      ['defect', 'module', 'steps', 'ended', 'seconds', 'requests', 'reason'],
      ...found.map((one): (string | number)[] => [
        ...[one.name, one.module, one.steps.join(','), `${one.state} at ${one.rung}`],
        ...[Math.round(one.seconds), figure(one.requests), one.reason],
      ]),
    ],
    notes: ['Each is to be found at the first rung that can show it, in words that name it.'],
    wrong,
  };
}
