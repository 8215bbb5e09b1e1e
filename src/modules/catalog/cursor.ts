// The cursor of the product list: the id of the last product of a page, as 22 opaque characters.
// It knows no database; whatever it did not write itself is refused as `bad-cursor`.
import { parse, stringify } from 'uuid';
import { problem } from '#banyan';
import { catalog } from './contract.ts';

export function cursorOf(id: string): string {
  return Buffer.from(parse(id)).toString('base64url');
}

export function idOf(cursor: string): string {
  // Node's decoder skips what it does not know, so the shape is checked first.
  if (/^[\w-]{22}$/.test(cursor)) {
    try {
      const id = stringify(Buffer.from(cursor, 'base64url'));
      if (cursorOf(id) === cursor) return id;
    } catch {
      // 16 bytes that are no UUID
    }
  }
  throw problem(catalog, 'bad-cursor', {
    detail: 'Use the nextCursor of the page before unchanged, or leave the cursor out to begin again.',
    errors: [{ path: '/cursor', message: 'is not a nextCursor of this list' }],
  });
}
