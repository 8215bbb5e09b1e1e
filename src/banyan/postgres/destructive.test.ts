// Which migrations a pair can live through.
import { expect, test } from 'vitest';
import { destructive } from './destructive.ts';

test.each([
  'CREATE TABLE "a" (id int PRIMARY KEY); CREATE INDEX i ON a (id);',
  'ALTER TABLE a ADD COLUMN "b" text; -- DROP TABLE a',
  "ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT ''; /* DROP COLUMN b */ DROP INDEX i",
])('what only adds passes: %s', (sql) => expect(destructive(sql)).toEqual([]));

test.each([
  ['ALTER TABLE "a" DROP COLUMN "b";', 'drops'],
  ['CREATE TABLE b (id int); drop table a', 'drops'],
  ['ALTER TABLE a RENAME TO b', 'renames'],
  ['ALTER TABLE a RENAME COLUMN b TO c', 'renames'],
  ['ALTER TABLE a ALTER COLUMN b SET DATA TYPE int', 'changes the type'],
  ['ALTER TABLE a ALTER COLUMN "b" TYPE int USING b::int', 'changes the type'],
  ['ALTER TABLE a ALTER COLUMN b SET NOT NULL', 'empty no more'],
  ['TRUNCATE a', 'empties'],
  ['UPDATE a SET b = 1', 'changes rows'],
])('what takes away does not: %s', (sql, words) =>
  expect(destructive(sql)).toEqual([expect.stringContaining(words)]),
);
