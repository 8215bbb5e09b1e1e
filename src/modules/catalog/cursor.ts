// The cursor of the product list: the id of the last product of a page, as 22 opaque characters.
// It knows no database; what it did not write itself it does not read.

import { parse, stringify } from 'uuid';
import type { Cursors } from '#banyan';

export const compact: Cursors = {
  write: (id) => Buffer.from(parse(id)).toString('base64url'),

  read(cursor) {
    // Node's decoder skips what it does not know, so the shape is checked first.
    if (!/^[\w-]{22}$/.test(cursor)) return undefined;
    try {
      const id = stringify(Buffer.from(cursor, 'base64url'));
      return compact.write(id) === cursor ? id : undefined;
    } catch {
      return undefined; // 16 bytes that are no UUID
    }
  },
};
