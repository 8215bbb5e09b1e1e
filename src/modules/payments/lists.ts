// The lists of payments and of charges, page by page: both are ordered by the id, the newest first.
import { validate } from 'uuid';
import { problem } from '#banyan';
import { payments } from './contract.ts';

/** A cursor is the last id of the page before. */
export function idOf(cursor: string | undefined): string | undefined {
  if (cursor === undefined || validate(cursor)) return cursor;
  throw problem(payments, 'bad-cursor', {
    errors: [{ path: '/cursor', message: 'is not a nextCursor of this list' }],
  });
}

/** One row more than the page tells whether there is another page. */
export function pageOf<T extends { id: string }>(found: T[], limit: number) {
  const items = found.slice(0, limit);
  return { items, nextCursor: found.length > limit ? items.at(-1)!.id : null };
}
