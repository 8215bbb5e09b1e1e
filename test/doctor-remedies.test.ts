// Every remedy that the doctor gives can be taken: a command that there is, a heading that there is.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { banyan } from '../bin/commands.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}src/banyan/doctor/`;
const sources = readdirSync(folder)
  .filter((name) => !name.endsWith('.test.ts'))
  .map((name) => readFileSync(folder + name, 'utf8'))
  .join('\n');

const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

test('what is named of the documentation is there', () => {
  // The constants that stand for a part of a path are whole in themselves.
  const named = [...sources.matchAll(/docs\/([\w-]+)\.md(?:#([a-z0-9-]+))?/g)];
  expect(named.length).toBeGreaterThan(10);
  for (const [whole, page, anchor] of named) {
    const text = readFileSync(`${root}docs/${page}.md`, 'utf8');
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));
    if (anchor !== undefined) expect(anchors, whole).toContain(anchor);
  }
});

test('what is named of the command line is there', async () => {
  const named = new Set(
    [...sources.matchAll(/npx banyan ((?:[a-z]+ ?){1,2})/g)].map(([, words]) => words!.trim()),
  );
  expect(named.size).toBeGreaterThan(8);
  for (const command of named) {
    let out = '';
    const output = { isTerminal: false, write: (text: string) => (out += text) };
    const terminal = { env: {}, out: output, err: output, interrupted: new AbortController().signal };
    expect(await banyan([...command.split(' '), '--help'], terminal), `${command}: ${out}`).toBe(0);
    // A group answers with its own help for a word that it does not know.
    if (command.includes(' ') && /Commands:/.test(out))
      expect(out, command).toMatch(/^Usage: banyan \w+ \w+/);
  }
});
