// What the sources of the page must not have: a way to make markup of a value, a word of another host, code that is made of
// text, a library past the kit. The page's policy would stop most of it in a browser; here it is found before.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, 'page');
const files = globSync('**/*.ts', { cwd: folder }).map((name) => ({
  name: name.replaceAll('\\', '/'),
  text: readFileSync(join(folder, name), 'utf8'),
}));

const found = (pattern: RegExp, texts = files) =>
  texts.flatMap(({ name, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${name}:${index + 1} ${line.trim()}`] : [])),
  );

const markup =
  /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySet|document\.write|createContextualFragment|DOMParser|srcdoc|\beval\(|new Function/;

test('no value becomes markup or code', () => {
  expect(files.length).toBeGreaterThan(15);
  expect(found(markup)).toEqual([]);
  expect(found(markup, [{ name: 'x.ts', text: 'box.innerHTML = text;' }])).toHaveLength(1);
});

test('nothing is fetched from elsewhere', () => {
  const links = /https?:\/\/|['"`]\/\//;
  const isNamespace = (line: string) => line.includes('http://www.w3.org/2000/svg');
  expect(found(links).filter((line) => !isNamespace(line))).toEqual([]);
  const styles = globSync('**/*.css', { cwd: folder }).map((name) => ({
    name,
    text: readFileSync(join(folder, name), 'utf8'),
  }));
  expect(found(/@import|url\(/, styles)).toEqual([]);
});

test('pages take preact, signals and htm from the kit', () => {
  const others = files.filter(({ name }) => !name.startsWith('kit/'));
  expect(found(/from '(preact|@preact|htm)/, others)).toEqual([]);
});

test('a file of the page imports files by their whole name, and types as types alone', () => {
  expect(found(/from '\.[^']*(?<!\.ts)'/)).toEqual([]);
  // The server's files are no files of the page: what is no type would be asked for and not be there.
  const outside = files.flatMap(({ name, text }) =>
    [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gm)]
      .map(([, to]) => join('page', dirname(name), to!))
      .filter((to) => !/^(page|shared)\//.test(to.replaceAll('\\', '/')))
      .map((to) => `${name} imports ${to}`),
  );
  expect(outside).toEqual([]);
});
