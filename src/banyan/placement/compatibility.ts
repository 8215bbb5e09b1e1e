// Whether a process that promises `theirs` can stand in for one that promises `ours`, asked when an
// instance registers. Inputs that callers send by our contract must be valid by theirs; answers and events
// that they send must be valid by ours. What only adds (an operation, an optional field) is compatible; so is what one of
// the version before lacks, where our contract names it (`mayLack`): who asks it for that is answered as by that version.
import { type CanonicalContract, type Json, type JsonObject, own } from './canonical.ts';
import { misfits } from './schema-fit.ts';

export interface Difference {
  /** Into the contract, for example `/operations/place/input/lines/items/quantity`. */
  readonly path: string;
  readonly message: string;
}

export interface Comparison {
  readonly breaking: readonly Difference[];
  readonly compatible: readonly Difference[];
}

export function compareContracts(ours: CanonicalContract, theirs: CanonicalContract): Comparison {
  const breaking: Difference[] = [];
  const compatible: Difference[] = [];
  const each = (part: 'operations' | 'events', word: string, compare: typeof compareOperation) => {
    for (const [name, mine] of Object.entries(ours[part])) {
      const path = `/${part}/${name}`;
      const other = own(theirs[part], name);
      if (!other) breaking.push({ path, message: `${word} is missing` });
      else compare(mine, other, path, breaking, compatible);
    }
    for (const name of Object.keys(theirs[part]))
      if (!own(ours[part], name)) compatible.push({ path: `/${part}/${name}`, message: `${word} is new` });
  };
  each('operations', 'the operation', compareOperation);
  each('events', 'the event', compareEvent);
  for (const [name, status] of Object.entries(theirs.errors)) {
    const mine = own(ours.errors, name);
    const path = `/errors/${name}`;
    if (mine === undefined) compatible.push({ path, message: 'the error is new' });
    else if (mine !== status) breaking.push({ path, message: `the status is ${status} instead of ${mine}` });
  }
  const forgiven = ({ path }: Difference) => ours.mayLack?.includes(path) ?? false;
  return {
    breaking: breaking.filter((one) => !forgiven(one)),
    compatible: [...compatible, ...breaking.filter(forgiven)],
  };
}

function compareOperation(
  ours: JsonObject,
  theirs: JsonObject,
  path: string,
  breaking: Difference[],
  compatible: Difference[],
): void {
  for (const part of ['access', 'http', 'headers', 'upload', 'download']) {
    if (!same(ours[part], theirs[part]))
      breaking.push({ path: `${path}/${part}`, message: was(ours[part], theirs[part]) });
  }
  if (ours.idempotent && !theirs.idempotent)
    breaking.push({
      path: `${path}/idempotent`,
      message: 'callers retry it, and it is no longer idempotent',
    });
  else if (!same(ours.idempotent, theirs.idempotent))
    compatible.push({ path: `${path}/idempotent`, message: 'it is idempotent now' });
  for (const error of theirs.errors as string[])
    if (!(ours.errors as string[]).includes(error))
      compatible.push({ path: `${path}/errors/${error}`, message: 'the error is new' });
  compareSchema(ours.input!, theirs.input!, `${path}/input`, 'sent', breaking, compatible);
  compareSchema(ours.output!, theirs.output!, `${path}/output`, 'received', breaking, compatible);
}

function compareEvent(
  ours: JsonObject,
  theirs: JsonObject,
  path: string,
  breaking: Difference[],
  compatible: Difference[],
): void {
  for (const part of ['version', 'key'])
    if (!same(ours[part], theirs[part]))
      breaking.push({ path: `${path}/${part}`, message: was(ours[part], theirs[part]) });
  compareSchema(ours.data!, theirs.data!, `${path}/data`, 'received', breaking, compatible);
}

/** `sent`: data goes from our callers to them. `received`: it comes from them to us. */
function compareSchema(
  ours: Json,
  theirs: Json,
  path: string,
  way: 'sent' | 'received',
  breaking: Difference[],
  compatible: Difference[],
): void {
  if (same(ours, theirs)) return;
  const broken = way === 'sent' ? misfits(ours, theirs, path) : misfits(theirs, ours, path);
  breaking.push(...broken);
  if (broken.length > 0) return;
  compatible.push(...changesOf(ours, theirs, path));
}

/** What was changed between two schemas, for people; it does not judge. */
export function changesOf(ours: Json, theirs: Json, path: string): Difference[] {
  if (same(ours, theirs)) return [];
  const [mine, other] = [ours as JsonObject, theirs as JsonObject];
  if (mine.type === 'array' && other.type === 'array' && !same(mine.items, other.items))
    return changesOf(mine.items!, other.items!, `${path}/items`);
  if (mine.type !== 'object' || other.type !== 'object')
    return [{ path, message: 'the schema is another one' }];
  const [before, after] = [(mine.properties ?? {}) as JsonObject, (other.properties ?? {}) as JsonObject];
  const found = Object.keys({ ...before, ...after }).flatMap((name): Difference[] => {
    const at = `${path}/${name}`;
    const [was, is] = [own(before, name), own(after, name)];
    if (was === undefined) return [{ path: at, message: 'the field is new' }];
    if (is === undefined) return [{ path: at, message: 'the field is gone' }];
    const required = (schema: JsonObject) => ((schema.required ?? []) as readonly string[]).includes(name);
    if (required(mine) !== required(other))
      return [{ path: at, message: required(other) ? 'is always there now' : 'may be left out now' }];
    return changesOf(was, is, at);
  });
  return found.length > 0 ? found : [{ path, message: 'the schema is another one' }];
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function was(ours: Json | undefined, theirs: Json | undefined): string {
  return `is ${JSON.stringify(theirs) ?? 'absent'} instead of ${JSON.stringify(ours) ?? 'absent'}`;
}
