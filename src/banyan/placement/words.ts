// Which words of placement a host knows. Each says so when it registers and when it beats; one that says nothing is of
// the version before. Guarantees: a flag gets no word that a live host does not know (flags.ts); a service that comes
// later and does not know one is told the nearest that it knows, under which it serves rightly. Pure.
import { preferenceFor } from '../routing/release.ts';
import type { Placement, Snapshot } from '../routing/snapshot.ts';

/** Said by a host whose pools follow their stores from server to server. No word of placement, but known the same way. */
export const FOLLOWS_STORES = 'stores';

/** Said by a host that tells instances apart by their release. */
export const KNOWS_RELEASES = 'releases';

/** By this code. */
export const SPOKEN: readonly string[] = [
  'in-process',
  'shadow',
  'canary',
  'service',
  FOLLOWS_STORES,
  KNOWS_RELEASES,
];

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
export function inItsWords(whole: Snapshot, speaks: readonly string[] = []): Snapshot {
  const snapshot = speaks.includes(KNOWS_RELEASES) ? whole : withoutReleases(whole);
  const unknown = wordsUnknownTo({ speaks }, snapshot);
  if (unknown.length === 0) return snapshot;
  const home = unknown.map((module) => {
    const { mirror: _, ...entry } = snapshot.modules[module]!;
    return [module, { ...entry, placement: 'in-process' as const, percent: 0 }];
  });
  return { ...snapshot, modules: { ...snapshot.modules, ...Object.fromEntries(home) } };
}

/** Who cannot tell releases apart is shown the instances of one of them: of the release before, until the other gets all. */
function withoutReleases(snapshot: Snapshot): Snapshot {
  const deployed = Object.values(snapshot.modules).flatMap(({ deploy, ...entry }) => {
    if (deploy === undefined) return [];
    const of = preferenceFor(deploy, deploy.percent === 100);
    const first = Math.min(
      ...entry.instances.filter(({ healthy }) => healthy).map(({ release }) => of(release)),
    );
    const instances = entry.instances.filter(({ release }) => of(release) <= first);
    return [[entry.module, { ...entry, instances }] as const];
  });
  if (deployed.length === 0) return snapshot;
  return { ...snapshot, modules: { ...snapshot.modules, ...Object.fromEntries(deployed) } };
}
