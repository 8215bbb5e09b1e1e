// The source files of the house as its rules see them: which file imports which, and where. Type-only imports count.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

export interface Breach {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface Import {
  readonly file: string;
  readonly line: number;
  /** A path from the root, or a name of `imports` in package.json. */
  readonly target: string;
  /** The file that imports it is a test, or what tests share. */
  readonly forTests: boolean;
}

/** A folder of tests or a file of them, by its name. */
export function isOfTests(path: string): boolean {
  return /\/testing(\.ts$|\/)|\.test\.ts$|\bfixture\.ts$|\/conformance\.ts$/.test(path);
}

export function importsOf(root: string, path: string): Import[] {
  const file = slashed(relative(root, path));
  if (file.endsWith('.test.ts')) return [];
  const found: Import[] = [];
  const text = readFileSync(path, 'utf8');
  const forTests = isOfTests(file) || /from 'vitest'/.test(text);
  for (const match of text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+|#[^'"]+)\1/g)) {
    const name = match[2]!;
    const target = name.startsWith('#') ? name : slashed(relative(root, resolve(dirname(path), name)));
    found.push({ file, line: text.slice(0, match.index).split('\n').length, target, forTests });
  }
  return found;
}

export function linesWith(path: string, pattern: RegExp): number[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text, index) => (pattern.test(text) ? [index + 1] : []));
}

export function sourceFiles(folder: string): string[] {
  return filesOf(folder, '.ts');
}

export function filesOf(folder: string, ending: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesOf(path, ending);
    return path.endsWith(ending) ? [path] : [];
  });
}

export function slashed(path: string): string {
  return path.split(sep).join('/');
}
