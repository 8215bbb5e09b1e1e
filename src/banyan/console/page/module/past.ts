// What became of a module, changes and processes that ended, in one order and in words. Pure.
import type { Change, End } from '../../../placement/history-contract.ts';

export interface Past {
  readonly items: readonly Change[];
  readonly ended: readonly End[];
}

/** One of both. */
export interface Told {
  readonly at: string;
  readonly key: string;
  readonly change?: Change;
  readonly end?: End;
}

/** Newest first. */
export function pastOf({ items, ended }: Past): Told[] {
  return [
    ...items.map((change): Told => ({ at: change.at, key: `${change.to} ${change.percent}`, change })),
    ...ended.map((end): Told => ({ at: end.at, key: end.id, end })),
  ].sort((one, other) => (one.at < other.at ? 1 : one.at > other.at ? -1 : 0));
}

/** `module-1 ended by SIGKILL`. */
export function endInWords({ id, how, silent }: End): string {
  if (how === null) return silent ? `${id} was not heard of any more` : `${id} ended; nobody saw how`;
  return `${id} ${how.startsWith('ended') ? how : `ended: ${how}`}`;
}
