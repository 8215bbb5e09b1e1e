// Each image has the folders that its programs import, from their entries on; and a service's image has no tool in it.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { moduleNames } from '../src/banyan/config/environment.ts';
import { shopApp } from '../src/shop.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The folders at the top that an entry comes to, by imports of either kind and by files that it starts. */
function folders(...entries: string[]): string[] {
  const seen = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(path, 'utf8').replaceAll(/import type .*/g, '');
    for (const [, name] of text.matchAll(
      /(?:\bfrom |\bimport |\bimport\(|new URL\()'(\.{1,2}\/[^']+\.m?[tj]s)'/g,
    )) {
      const next = resolve(dirname(path), name!);
      if (existsSync(next)) visit(next);
    }
  };
  for (const entry of entries) visit(resolve(root, entry));
  return [...new Set([...seen].map((path) => relative(root, path).split('/')[0]!))].sort();
}

function copied(dockerfile: string): string[] {
  const text = readFileSync(resolve(root, dockerfile), 'utf8');
  return [...text.matchAll(/^COPY (\w+)(?:\/[\w${}]+)? \.\//gm)].map(([, folder]) => folder!).sort();
}

test('of the monolith: the host, and the command line with its tools', () => {
  const needed = folders('src/main.ts', 'bin/banyan.mjs', 'bin/main.ts');
  expect(needed).toEqual(expect.arrayContaining(['bin', 'compare', 'pipeline', 'scripts', 'src', 'stage']));
  expect(copied('Dockerfile')).toEqual(expect.arrayContaining(needed));
});

test.each(moduleNames(shopApp))('of %s as a service: no folder more than it needs', (module) => {
  const has = copied('extracted/Dockerfile');
  expect(has).toEqual(expect.arrayContaining(folders(`extracted/${module}/main.ts`)));
  expect(has).toEqual(['extracted', 'prisma', 'scripts', 'src']);
});
