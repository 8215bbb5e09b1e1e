// Which of the deliveries that are not done a person means: those of a consumer, of a type, for a reason, of a key, of
// an age. The same filter for a list, for a redrive of all and for a drop of all.
// It must not know what is done with them.
import { momentOf, olderThan } from '../../contract/age.ts';
import { line, prose } from '../../contract/fields.ts';
import { Type } from '../../contract/type.ts';

/** All of it holds at once; what is absent holds for all. */
export interface Selection {
  readonly type?: string | undefined;
  readonly reason?: string | undefined;
  readonly key?: string | undefined;
  readonly olderThan?: string | undefined;
}

export const selection = {
  type: Type.Optional(
    line({ minLength: 1, maxLength: 200, description: 'Those of whose type this is a part.' }),
  ),
  reason: Type.Optional(
    prose({
      minLength: 1,
      maxLength: 500,
      description: 'Those in whose reason this stands, in capitals or not.',
    }),
  ),
  key: Type.Optional(prose({ minLength: 1, maxLength: 500, description: 'Those of exactly this key.' })),
  olderThan: Type.Optional(olderThan()),
};

export function isEmpty({ type, reason, key, olderThan: age }: Selection): boolean {
  return [type, reason, key, age].every((one) => one === undefined);
}

/** Conditions on `event_delivery d`, each as ` AND …`, and their values; `first` is the number of the first of these. */
export function conditions(
  selection: Selection,
  first: number,
): { readonly sql: string; readonly values: string[] } {
  const { type, reason, key, olderThan: age } = selection;
  const values: string[] = [];
  const one = (value: string | undefined, sql: (n: string) => string) => {
    if (value === undefined) return '';
    values.push(value);
    return ` AND ${sql(`$${first + values.length - 1}`)}`;
  };
  const sql = [
    one(type, (n) => `position(${n}::text IN d.type) > 0`),
    one(reason, (n) => `position(lower(${n}::text) IN lower(coalesce(d.reason, ''))) > 0`),
    one(key, (n) => `d.key = ${n}::text`),
    one(age && momentOf(age).toISOString(), (n) => `d.settled_at < ${n}::timestamptz`),
  ];
  return { sql: sql.join(''), values };
}
