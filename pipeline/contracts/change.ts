// What became of one place of a promise. Types, and how lists of them are put together.

export interface Change {
  /**
   * `broken`: somebody who relies on what was promised before fails. `added`: nobody could rely on it. `changed`: another
   * promise, with which whoever relied on the one before is as well off.
   */
  readonly kind: 'added' | 'changed' | 'broken';
  /** Into the contract or document. */
  readonly path: string;
  readonly message: string;
  /** The operation or event that it is of, as `module.name`, where a document says it in another form. */
  readonly of?: string;
}

export const kinds = ['broken', 'changed', 'added'] as const;

export const broken = (path: string, message: string): Change => ({ kind: 'broken', path, message });
export const added = (path: string, message: string): Change => ({ kind: 'added', path, message });
export const changed = (path: string, message: string): Change => ({ kind: 'changed', path, message });

/** Each name of either side with what stands there before and now. */
export function pairs<T>(
  before: Readonly<Record<string, T>>,
  now: Readonly<Record<string, T>>,
): [name: string, before: T | undefined, now: T | undefined][] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const of = (side: Readonly<Record<string, T>>, name: string) =>
    Object.hasOwn(side, name) ? side[name] : undefined;
  return names.map((name) => [name, of(before, name), of(now, name)]);
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
