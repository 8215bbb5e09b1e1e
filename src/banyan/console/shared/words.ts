// What the page and the command line call alike: where a module serves, and what is being done to a store. Pure.
import type { Entry } from '../../placement/admin-contract.ts';
import type { Move } from '../../servers/desk/contract.ts';

/** `service`, `canary 10%`. */
export const servesInWords = ({ placement, percent }: Pick<Entry, 'placement' | 'percent'>): string =>
  placement === 'canary' ? `canary ${percent}%` : placement;

export const STORE_STEPS: Readonly<Record<Move['step'], string>> = {
  preflight: 'looks whether it can be moved',
  provisioned: 'makes the schema, its tables and roles there',
  copying: 'copies',
  paired: 'waits until the copy keeps up',
  held: 'the pause',
  moved: 'has moved; every host is asked',
  verified: 'compares every row',
  clearing: 'ends the pair',
};
