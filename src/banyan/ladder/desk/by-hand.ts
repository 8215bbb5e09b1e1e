// What a placement by hand does to a ladder, in the transaction that places: it stops the ladder, and with `guard` has the
// module watched where it was put.
import type { OnPlaced } from '../../placement/admin.ts';
import type { Moves } from '../climb/moves.ts';
import { isOpen, placeInWords } from '../climb/steps.ts';
import type { Announcer } from '../notices/announcer.ts';

export function createByHand(rows: Moves, announcer: Announcer): OnPlaced {
  return async (tx, { module, placement, percent, by, guard }) => {
    const stopped = await rows.placedByHand(tx, { module, on: 'placed', by, placement, percent });
    if (guard && percent > 0) await rows.guard(tx, module, by, percent);
    const said = [
      ...(stopped?.before && isOpen(stopped.before)
        ? [`Its ladder, ${placeInWords(stopped.before.rung)}, is stopped.`]
        : []),
      ...(guard && percent > 0 ? ['It is watched there, and taken back when its requests fail.'] : []),
    ];
    return {
      note: said.length > 0 ? said.join(' ') : undefined,
      tell: stopped && (() => void announcer.tell(module, stopped, by, [])),
    };
  };
}
