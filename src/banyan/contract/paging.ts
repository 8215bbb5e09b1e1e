// One page of a list: what the query asks for, one row more to know whether another page follows, and the cursor of
// that page. A cursor is the id of the last item, by which the list is ordered; what no list gave is `bad-cursor`.
// It must not know where the items come from.
import { validate } from 'uuid';
import type { Contract } from './contract.ts';
import { problem } from './problem.ts';

/** The part of a query that `paging` of fields.ts describes. */
export interface PageQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** How an id is written as a cursor. `read` answers undefined for what it did not write. */
export interface Cursors {
  readonly write: (id: string) => string;
  readonly read: (cursor: string) => string | undefined;
}

/** The id as it is. */
const ids: Cursors = { write: (id) => id, read: (cursor) => (validate(cursor) ? cursor : undefined) };

type Listing = Contract & { readonly errors: { readonly 'bad-cursor': unknown } };

/** `find` answers at most `limit` items, in the order of the list, those after the item with the id `after`. */
export async function pageOf<T extends { readonly id: string }>(
  contract: Listing,
  { limit = 20, cursor }: PageQuery,
  find: (after: string | undefined, limit: number) => Promise<readonly T[]>,
  cursors: Cursors = ids,
): Promise<{ items: T[]; nextCursor: string | null }> {
  const after = cursor === undefined ? undefined : cursors.read(cursor);
  if (cursor !== undefined && after === undefined) throw badCursor(contract);
  const found = await find(after, limit + 1);
  const items = found.slice(0, limit);
  return { items, nextCursor: found.length > limit ? cursors.write(items.at(-1)!.id) : null };
}

function badCursor(contract: Listing) {
  return problem(contract, 'bad-cursor', {
    detail: 'Use the nextCursor of the page before unchanged, or leave the cursor out to begin again.',
    errors: [{ path: '/cursor', message: 'is not a nextCursor of this list' }],
  });
}
