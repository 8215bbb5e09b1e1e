// The list of events in docs/security-log.md is what the code writes: names that people search for, and alarms are set on.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const docs = readFileSync(join(root, 'docs/security-log.md'), 'utf8');

/** Literal names alone; acts of administrators are named by their contracts. */
function written(): Set<string> {
  const files = globSync('src/**/*.ts', { cwd: root }).filter((name) => !/\.(test|fixture)\.ts$/.test(name));
  // Without comments, which have examples.
  const texts = files.map((name) =>
    readFileSync(join(root, name), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, ''),
  );
  const calls = texts.filter((text) => /SecurityLog|SecurityEvent|security\b/.test(text)).join('\n');
  return new Set([...calls.matchAll(/\bevent: '([a-z]+(?:\.[a-z-]+)+)'/g)].map((match) => match[1]!));
}

test('every event that is written is listed, and every one that is listed is written', () => {
  const listed = new Set([...docs.matchAll(/^\| `([a-z]+\.[a-z.-]+)`(?:,| \|)/gm)].map((match) => match[1]!));
  const names = written();
  expect(names.size).toBeGreaterThan(4);
  expect([...names].filter((name) => !listed.has(name))).toEqual([]);
  expect([...listed].filter((name) => !names.has(name) && !name.startsWith('admin.'))).toEqual([]);
});
