// Where a list, a tail or a replay goes on, as one opaque text. What comes back is checked like any other input.
import type { Static, TSchema } from 'typebox';
import type { Problem } from '../../contract/problem.ts';
import { compile, invalid } from '../../contract/validation.ts';

export interface Cursors<T> {
  write(value: T): string;
  /** Throws the 422 problem. */
  read(text: string): T;
}

export function cursors<S extends TSchema>(schema: S): Cursors<Static<S>> {
  const check = compile(schema);
  return {
    write: (value) => Buffer.from(JSON.stringify(value)).toString('base64url'),
    read(text) {
      try {
        const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
        if (check.fits(value)) return value as Static<S>;
      } catch {}
      throw notOurs();
    },
  };
}

export function notOurs(): Problem {
  return invalid([{ path: '/cursor', message: 'is not a nextCursor of an earlier answer' }]);
}
