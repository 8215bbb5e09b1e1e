// What came of an exchange, less what the placement alone explains, and how two of them differ. Asks in many
// connections at once and keeps the order of what was asked.

import type { Variant } from './variant.ts';
import { type Answer, type Exchange, exchange } from './wire.ts';

export interface Difference {
  readonly name: string;
  readonly near: string;
  readonly far: string;
}

/** Says where an answer was made, when, and in which trace. */
const ofPlacement = new Set(['x-served-by', 'traceparent', 'date']);

const AT_ONCE = 16;

/** @param say hears of every thousandth. */
export async function verdicts(
  base: string,
  variants: readonly Variant[],
  say: (done: number) => void = () => {},
): Promise<string[]> {
  const found: string[] = new Array(variants.length);
  let next = 0;
  const work = async () => {
    for (let at = next; at < variants.length; at = next) {
      next += 1;
      const { parts, head } = variants[at]!;
      found[at] = inWords(await exchange(base, parts, head ?? false));
      if ((at + 1) % 1_000 === 0) say(at + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

export function differences(
  variants: readonly Variant[],
  near: readonly string[],
  far: readonly string[],
): Difference[] {
  return variants.flatMap(({ name }, at) =>
    near[at] === far[at] ? [] : [{ name, near: near[at]!, far: far[at]! }],
  );
}

function inWords({ answers, end }: Exchange): string {
  return [...answers.map(answerInWords), `the connection ${end}`].join('; ');
}

function answerInWords({ status, headers, body }: Answer): string {
  const names = headers.map(([name]) => name);
  const kept = headers.filter(([name]) => !ofPlacement.has(name)).map((header) => header.join(': '));
  const all = [...kept, ...names.filter((name) => ofPlacement.has(name))].sort();
  // Only what a module answers is the same wherever it is: the host speaks of placements.
  return `${status} [${all.join(', ')}]${names.includes('x-served-by') ? ` ${body}` : ''}`;
}
