// Which file of a checkout imports which, and who stands on a file, however far up. It reads the files once and knows no
// folder by name.
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { specifiersOf } from './imports.ts';

export interface Graph {
  /** The source files. */
  readonly files: readonly string[];
  /** The files that import it. */
  importersOf(file: string): ReadonlySet<string>;
  /** The file, and all that come to it by imports. */
  standingOn(file: string): ReadonlySet<string>;
}

const SOURCE = /\.[mc]?[jt]s$/;

/** @param files of a checkout, relative to its root; what is no source is passed over. */
export function readGraph(root: string, files: readonly string[]): Graph {
  const own = ownNames(root);
  return graphOf(
    files
      .filter((file) => SOURCE.test(file))
      .flatMap((file) => {
        const text = readIfThere(join(root, file));
        if (text === undefined) return [];
        const targets = specifiersOf(file, text).flatMap((name) => targetOf(file, name, own) ?? []);
        return [[file, targets] as const];
      }),
  );
}

export function graphOf(imports: readonly (readonly [file: string, targets: readonly string[]])[]): Graph {
  const importers = new Map<string, Set<string>>();
  for (const [file, targets] of imports)
    for (const target of targets) importers.set(target, (importers.get(target) ?? new Set()).add(file));
  const importersOf = (file: string): ReadonlySet<string> => importers.get(file) ?? new Set();
  return {
    files: imports.map(([file]) => file),
    importersOf,
    standingOn(file) {
      const found = new Set([file]);
      // A set that grows while it is walked is walked to its end.
      for (const one of found) for (const importer of importersOf(one)) found.add(importer);
      return found;
    },
  };
}

/** A file of the checkout; undefined: a package. */
function targetOf(file: string, name: string, own: ReadonlyMap<string, string>): string | undefined {
  if (name.startsWith('.')) return posix.join(posix.dirname(file), name);
  return own.get(name);
}

/** The names that package.json gives to files of its own, such as `#banyan`. */
function ownNames(root: string): ReadonlyMap<string, string> {
  const text = readIfThere(join(root, 'package.json'));
  const { imports = {} } = JSON.parse(text ?? '{}') as { imports?: Record<string, unknown> };
  return new Map(
    Object.entries(imports).flatMap(([name, target]) =>
      typeof target === 'string' ? [[name, posix.normalize(target)] as const] : [],
    ),
  );
}

/** What git lists may be gone from the working tree. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
