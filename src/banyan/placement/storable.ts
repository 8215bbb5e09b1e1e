// Which texts of a value no column could keep: PostgreSQL stores no NUL and no half of a character, in text as in jsonb,
// and says so with an error of its own. Names of fields are texts as well.
import { escapePointer } from '../contract/pointer.ts';
import type { FieldError } from '../contract/problem.ts';

const MESSAGE = 'must be whole Unicode characters, without NUL';

export function unstorable(value: unknown, path = ''): FieldError[] {
  if (typeof value === 'string') return isStorable(value) ? [] : [{ path, message: MESSAGE }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    const at = `${path}/${escapePointer(name)}`;
    return isStorable(name) ? unstorable(one, at) : [{ path: at, message: MESSAGE }];
  });
}

function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}
