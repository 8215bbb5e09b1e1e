// Why something cannot be done to a store, in words that name the remedy.
import type { Finding } from './mechanics.ts';

/** No second try mends it. */
export class NoUse extends Error {}

/** All of them in one sentence. */
export function inWords(findings: readonly Finding[]): string {
  return findings.map(({ detail, remedy }) => `${detail} (${remedy})`).join('; ');
}
