// Marks the leaves of a contract whose value is nobody's secret (an amount, a status, a count), so that samples of
// differences may store and show it as it is (ladder/shadow/samples.ts). It is a hint to this process alone: not enumerable, so
// no page, no validator and no fingerprint of the contract sees it, and hosts that lack it fit those that have it.
import type { TSchema } from 'typebox';

/** A copy that is marked. Of a union: all that it can be. */
export function plain<T extends TSchema>(schema: T): T {
  const copy = Object.create(Object.prototype, Object.getOwnPropertyDescriptors(schema)) as T;
  return Object.defineProperty(copy, 'plain', { value: true });
}
