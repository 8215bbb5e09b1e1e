// What became of a schema, by the way that its data takes. Whether one schema fits under another the library says, as it
// does when a service registers (placement/schema-fit.ts); here it is put in words for whoever wrote the change.
import type { Json } from '../../src/banyan/placement/canonical.ts';
import { changesOf } from '../../src/banyan/placement/compatibility.ts';
import { misfits } from '../../src/banyan/placement/schema-fit.ts';
import { added, broken, type Change, changed, same } from './change.ts';

/**
 * `sent`: those who know the schema of before make it. `received`: they read it. `kept`: they read it, and whoever knows
 * the schema of now reads what was made before: an event that stands in the log.
 */
export type Way = 'sent' | 'received' | 'kept';

const SENT = new Map([
  ['is required, and is never given', 'is required now, and callers of before never send it'],
  ['is required, and may be left out', 'is required now, and callers of before may leave it out'],
  ['is not a known field', 'is refused now, and callers of before send it'],
]);
const RECEIVED = new Map([
  ['is required, and is never given', 'is gone, and whoever knew it relies on it'],
  ['is required, and may be left out', 'may be missing now, and whoever knew it relies on it'],
]);
const KEPT = new Map([
  ['is required, and is never given', 'is required now, and events in the log lack it: make it optional'],
  [
    'is required, and may be left out',
    'is required now, and events in the log may lack it: keep it optional',
  ],
]);

export function schemaChanges(before: Json, now: Json, path: string, way: Way): Change[] {
  if (same(before, now)) return [];
  const found =
    way === 'sent'
      ? inWords(misfits(before, now, path), SENT)
      : inWords(misfits(now, before, path), RECEIVED);
  if (way === 'kept') {
    const known = new Set(found.map((one) => one.path));
    found.push(...inWords(misfits(before, now, path), KEPT).filter((one) => !known.has(one.path)));
  }
  const others = changesOf(before, now, path).map((one) => {
    if (one.message === 'the field is new') return added(one.path, one.message);
    if (one.message === 'the field is gone' && way !== 'sent')
      return broken(one.path, 'is gone, and whoever knew it may use it');
    return changed(one.path, one.message);
  });
  // A place that is broken is told once, also where what is around it or in it counts as changed.
  const told = (path: string) =>
    found.some((one) => one.path === path || isWithin(one.path, path) || isWithin(path, one.path));
  return [...found, ...others.filter((one) => !told(one.path))];
}

function isWithin(path: string, outer: string): boolean {
  return path.startsWith(`${outer}/`);
}

function inWords(
  found: readonly { readonly path: string; readonly message: string }[],
  words: ReadonlyMap<string, string>,
): Change[] {
  return found.map(({ path, message }) => broken(path, words.get(message) ?? message));
}
