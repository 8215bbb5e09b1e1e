// What a text alone says of a statement: which get a name, and which write.
import { describe, expect, test } from 'vitest';
import { Statements } from './statements.ts';

/** As it is named when it comes the second time. */
function named(text: string): string | undefined {
  const statements = new Statements();
  expect(statements.nameOf(text)).toBeUndefined();
  return statements.nameOf(text);
}

describe('a name', () => {
  test('is given to what comes again, and stays', () => {
    const statements = new Statements();
    expect(statements.of('SELECT 1', [])).toEqual({ text: 'SELECT 1', values: [] });
    const { name } = statements.of('SELECT 1');
    expect(name).toMatch(/^s\d+$/);
    expect(statements.of('SELECT 1')).toEqual({ text: 'SELECT 1', name });
    expect(statements.nameOf('SELECT 2')).toBeUndefined();
    const other = statements.nameOf('SELECT 2');
    expect(other).toMatch(/^s\d+$/);
    expect(other).not.toBe(name);
    expect(new Statements().nameOf('SELECT 1')).toBeUndefined();
  });

  test.each(['SELECT * FROM t', 'select o.* from o', 'SELECT id, t.* FROM t', 'DELETE FROM t RETURNING *'])(
    'is not given where the columns are another’s affair: %s',
    (text) => expect(named(text)).toBeUndefined(),
  );

  test.each(['SELECT count(*) FROM t', 'SELECT $1 * 2', `UPDATE t SET at = now() + $1 * interval '1 ms'`])(
    'is given to what only counts or multiplies: %s',
    (text) => expect(named(text)).toMatch(/^s\d+$/),
  );

  test('is not given to several commands', () => expect(named('BEGIN; SET LOCAL x = 1')).toBeUndefined());

  test('is for 200 texts, and texts that never come again take none', () => {
    const statements = new Statements();
    for (let n = 0; n < 5_000; n += 1) statements.nameOf(`SELECT ${n} -- once`);
    const names = Array.from({ length: 300 }, (_, n) => {
      statements.nameOf(`SELECT ${n}`);
      return statements.nameOf(`SELECT ${n}`);
    });
    expect(new Set(names.slice(0, 200)).size).toBe(200);
    expect(names.slice(200).every((name) => name === undefined)).toBe(true);
  });
});

describe('writing', () => {
  const writes = (text: string) => new Statements().isWrite(text);

  test.each([
    'INSERT INTO t VALUES (1)',
    '  update t set n = 1',
    '-- why\n DELETE FROM t',
    'WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a',
    'WITH gone AS (DELETE FROM t RETURNING id) SELECT * FROM gone',
  ])('%s', (text) => expect(writes(text)).toBe(true));

  test.each(['SELECT 1', 'SELECT * FROM t FOR UPDATE', 'WITH a AS (SELECT 1) SELECT * FROM a', 'TRUNCATE t'])(
    'not: %s',
    (text) => expect(writes(text)).toBe(false),
  );
});
