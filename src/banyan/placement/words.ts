// Which words of placement a host knows. Each says so when it registers and when it beats; one that says nothing is of
// the version before. Guarantees: a flag gets no word that a live host does not know (flags.ts); a service that comes
// later and does not know one is told the nearest that it knows, under which it serves rightly. Pure.
import type { Placement, Snapshot } from '../routing/snapshot.ts';

/** Said by a host whose pools follow their stores from server to server. No word of placement, but known the same way. */
export const FOLLOWS_STORES = 'stores';

/** By this code. */
export const SPOKEN: readonly string[] = ['in-process', 'shadow', 'canary', 'service', FOLLOWS_STORES];

/** By whoever says nothing. */
export const ALWAYS_KNOWN: readonly Placement[] = ['in-process', 'service'];

/** The modules whose placement it has no word for. */
export function wordsUnknownTo(
  { speaks = [] }: { readonly speaks?: readonly string[] | undefined },
  { modules }: Snapshot,
): string[] {
  const known: ReadonlySet<string> = new Set([...ALWAYS_KNOWN, ...speaks]);
  return Object.values(modules)
    .filter(({ placement }) => !known.has(placement))
    .map(({ module }) => module);
}

/** The picture in the words of a host: what it cannot know is in-process, where every module always serves. */
export function inItsWords(snapshot: Snapshot, speaks: readonly string[] = []): Snapshot {
  const unknown = wordsUnknownTo({ speaks }, snapshot);
  if (unknown.length === 0) return snapshot;
  const home = unknown.map((module) => {
    const { mirror: _, ...entry } = snapshot.modules[module]!;
    return [module, { ...entry, placement: 'in-process' as const, percent: 0 }];
  });
  return { ...snapshot, modules: { ...snapshot.modules, ...Object.fromEntries(home) } };
}
