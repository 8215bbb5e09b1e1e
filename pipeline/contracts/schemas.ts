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

/** Who is let down, by what the library says of two schemas; `a` is on the side that gives, `b` on the one that takes. */
type Words = readonly (readonly [form: RegExp, said: (a: string, b: string) => string])[];

const GIVEN = /^is required, and is never given$/;
const MAYBE = /^is required, and may be left out$/;
const UNKNOWN = /^is not a known field$/;
const OPEN = /^takes no unknown fields$/;
const LIMIT = /^(\w+ is .+) where (.+) is the limit$/;
const TYPE = /^is (.+) where (.+) is expected$/;
const CHOICE = /^(.+?) is not among (.+)$/;

const SENT: Words = [
  [GIVEN, () => 'is required now, and callers of before never send it'],
  [MAYBE, () => 'is required now, and callers of before may leave it out'],
  [UNKNOWN, () => 'is refused now, and callers of before send it'],
  [OPEN, () => 'takes no unknown fields any more'],
  [LIMIT, (a, b) => `is held to ${b} now, where for callers of before ${a}`],
  [TYPE, (a, b) => `is ${b} now, and callers of before send ${a}`],
  [CHOICE, (a, b) => `${a} is taken no more, only ${b}`],
];
const RECEIVED: Words = [
  [GIVEN, () => 'is gone, and whoever knew it relies on it'],
  [MAYBE, () => 'may be missing now, and whoever knew it relies on it'],
  [LIMIT, (a, b) => `${a} now, where whoever knew it relies on ${b}`],
  [TYPE, (a, b) => `is ${a} now, and whoever knew it reads ${b}`],
  [CHOICE, (a, b) => `${a} is new, and whoever knew it reads ${b} alone`],
];
const KEPT: Words = [
  [GIVEN, () => 'is required now, and events in the log lack it: make it optional'],
  [MAYBE, () => 'is required now, and events in the log may lack it: keep it optional'],
  [UNKNOWN, () => 'is refused now, and events in the log have it'],
  [OPEN, () => 'takes no unknown fields any more, and events in the log may have some'],
  [LIMIT, (a, b) => `is held to ${b} now, where for events in the log ${a}`],
  [TYPE, (a, b) => `is ${b} now, and ${a} in events in the log`],
  [CHOICE, (a, b) => `${a} stands in events in the log, and is known no more beside ${b}`],
];

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
  words: Words,
): Change[] {
  return found.map(({ path, message }) => {
    const [form, said] = words.find(([one]) => one.test(message)) ?? [];
    const [, a = '', b = ''] = form?.exec(message) ?? [];
    return broken(path, said?.(a, b) ?? message);
  });
}
