// A look once a minute at what ends of pairs left behind: what is due becomes a task like any other, so that nothing else is done
// to that store meanwhile. What is in use again is left over no more. It drops nothing itself (step-work.ts).
import type { LeftRows } from './left-rows.ts';
import type { Places, Reach } from './mechanics.ts';
import type { MoveRows } from './rows.ts';

export interface LeftLooksOptions {
  readonly lefts: LeftRows;
  readonly rows: Pick<MoveRows, 'begin'>;
  readonly places: Pick<Places, 'read'>;
  readonly reach: Pick<Reach, 'refusal'>;
}

const LOOK_MS = 60_000;
const SHARED = 'shared';

/** Asked more often it does not look. */
export function createLeftLooks({ lefts, rows, places, reach }: LeftLooksOptions): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - last < LOOK_MS) return;
    last = performance.now();
    const due = await lefts.isDue();
    const where = due.length > 0 ? await places.read() : [];
    for (const row of due) {
      const { module, server: target } = row;
      const { server: source = SHARED, pairedWith } = where.find((one) => one.module === module) ?? {};
      if (target === source || target === pairedWith) {
        await lefts.forget(module, target);
        continue;
      }
      const reached = [source, target].every((one) => reach.refusal(module, one) === undefined);
      if (reached && (await lefts.take(row)))
        await rows.begin({ module, task: 'drop', source, target, paired: false, by: 'banyan' });
    }
  };
}
