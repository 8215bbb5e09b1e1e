// What is another thing in the next picture than in the one before, by JSON Pointer (RFC 6901), and a picture with that
// applied. Guarantee: applied to the earlier one it is the later one; what is the same stays the same object, so that a page
// redraws what changed alone. Lists are told whole. Server and page both stand on it.

export interface Delta {
  /** Pointer and value. */
  readonly set: readonly (readonly [pointer: string, value: unknown])[];
  readonly drop: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function deltaOf(before: unknown, after: unknown): Delta {
  const set: [string, unknown][] = [];
  const drop: string[] = [];
  const look = (one: unknown, other: unknown, at: string) => {
    if (Object.is(one, other)) return;
    if (!isFields(one) || !isFields(other)) {
      if (!isFields(other) && JSON.stringify(one) === JSON.stringify(other)) return;
      set.push([at, other]);
      return;
    }
    for (const name of Object.keys(one)) if (other[name] === undefined) drop.push(`${at}/${escaped(name)}`);
    for (const [name, value] of Object.entries(other))
      if (value !== undefined) look(one[name], value, `${at}/${escaped(name)}`);
  };
  look(before, after, '');
  return { set, drop };
}

export function applied<T>(before: T, { set, drop }: Delta): T {
  let after: unknown = before;
  for (const pointer of drop) after = put(after, parts(pointer), undefined);
  for (const [pointer, value] of set) after = put(after, parts(pointer), value);
  return after as T;
}

function put(whole: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const { [name]: inside, ...others } = (isFields(whole) ? whole : {}) as Record<string, unknown>;
  if (rest.length === 0 && value === undefined) return others;
  return { ...(whole as Fields), [name]: put(inside, rest, value) };
}

const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');
const parts = (pointer: string) =>
  pointer
    .split('/')
    .slice(1)
    .map((one) => one.replaceAll('~1', '/').replaceAll('~0', '~'));
