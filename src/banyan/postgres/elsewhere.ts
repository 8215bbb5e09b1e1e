// What a server says to whoever comes for a store that it does not serve any more: the role has no right to a table, or may not
// enter, or the tables are gone. Whoever stood still while the store went to another server hears that, looks where it is
// now, and asks once more there. Guarantee: only what the server refused as a whole is asked again.
import { chain } from '../context/outage.ts';

/** No right; may not enter; no such table, schema or function. */
const REFUSED = new Set(['42501', '28000', '42P01', '3F000', '42883']);

export function isRefused(error: unknown): boolean {
  return chain(error).some(({ code, originalCode }) => REFUSED.has(originalCode ?? code ?? ''));
}

/** Looks where the store is now, and goes there. Answers false where it is sure that it never was anywhere else. */
export type Look = () => Promise<boolean>;

/** Runs the work, and once more where it was refused and the store may be elsewhere. */
export async function askAgain<T>(error: unknown, look: Look, work: () => Promise<T>): Promise<T> {
  if (!isRefused(error) || !(await look())) throw error;
  try {
    return await work();
  } catch (second) {
    if (!isRefused(second)) throw second;
    // In the words by which an outage is known (outage.ts): a caller hears 503 and when to come again.
    throw Object.assign(
      new Error('The store is at none of the servers that are known here; nothing was done'),
      {
        code: 'ETIMEDOUT',
        cause: second,
      },
    );
  }
}
