// The scripts of package.json, read: each replaces npm's shell or follows npm, and each runs in cmd.exe as well.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
const scripts = Object.entries(JSON.parse(read('package.json')).scripts as Record<string, string>);

test.each(scripts)('%s is one command that replaces the shell', (_, script) => {
  // A second command (&&, |, ;) would need a shell that stays.
  expect(script).toMatch(/^exec [\w:.@/ =-]+$/);
});

test.each(scripts.filter(([, script]) => /\.(ts|mjs)\b/.test(script) && !/setup\.mjs/.test(script)))(
  '%s follows npm',
  (_, script) => {
    expect(script).toMatch(/^exec node --import \.\/scripts\/with-npm\.mjs /);
  },
);

test('setup follows npm by itself, on any Node', () => {
  expect(read('scripts/setup.mjs')).toContain("import './with-npm.mjs';");
});

test('cmd.exe, which has no exec, finds one beside package.json that runs the rest', () => {
  const lines = read('exec.cmd').trim().split(/\r?\n/);
  expect(lines.at(-1)).toBe('@%*');
  expect(lines.slice(0, -1).every((line) => line.startsWith('@rem '))).toBe(true);
});
