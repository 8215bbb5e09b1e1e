// Which modules a change touches, and which tests have to say whether they still work. A module is touched by what lies in
// its own folders and by whatever its code comes to by imports: so a contract touches those that use it, and the inside
// of a module nobody else. What belongs to no module and is not for tests alone is taken to be everybody's: the library,
// what starts a host, package.json, a file that nobody knows. Words about the product are nobody's.
// Guarantees: what it leaves out is out of reach by imports. What a test starts as a process by a name put together at run
// time it cannot see; the whole suite runs on main.
import type { Graph } from '../graph/graph.ts';
import type { Layout } from '../layout.ts';

export interface Touched {
  readonly module: string;
  /** The files that changed and touch it. */
  readonly because: readonly string[];
  /** The test files in its folders. */
  readonly tests: readonly string[];
}

export interface Affected {
  readonly all: boolean;
  /** In a sentence. */
  readonly reason: string;
  readonly changed: readonly string[];
  readonly modules: readonly Touched[];
  /** The test files to run: those of the modules, and others that come to what changed. */
  readonly tests: readonly string[];
}

export function affectedBy(changed: readonly string[], graph: Graph, layout: Layout): Affected {
  const because = new Map<string, Set<string>>();
  const touch = (module: string, path: string) =>
    because.set(module, (because.get(module) ?? new Set()).add(path));
  const ownerOf = (path: string) =>
    layout.modules.find((module) => layout.foldersOf(module).some((folder) => path.startsWith(folder)));
  const everybodys: string[] = [];
  const reached = new Set<string>();

  const meant = changed.filter((path) => !isProse(path));
  for (const path of meant) {
    const owner = ownerOf(path);
    const standing = graph.standingOn(path);
    for (const file of standing) {
      if (isTest(file)) reached.add(file);
      const module = ownerOf(file);
      if (module !== undefined && (module === owner || !isTest(file))) touch(module, path);
    }
    if (owner === undefined && !isForTests(path, graph, standing)) everybodys.push(path);
  }

  const all = everybodys.length > 0;
  const allTests = graph.files.filter(isTest).sort();
  const modules = layout.modules.flatMap((module): Touched[] => {
    const paths = all ? everybodys : [...(because.get(module) ?? [])].sort();
    const tests = allTests.filter((file) => ownerOf(file) === module);
    return paths.length > 0 ? [{ module, because: paths, tests }] : [];
  });
  const own = new Set(modules.flatMap(({ tests }) => tests));
  const tests = allTests.filter((file) => all || reached.has(file) || own.has(file));
  const found = { changed, meant, everybodys, touched: modules.length, tests: tests.length };
  return { all, reason: reasonOf(found, graph, layout), changed, modules, tests };
}

/** Pages, pictures and licences: whoever reads them is no program. */
function isProse(path: string): boolean {
  return path.startsWith('docs/') || path.endsWith('.md') || path === 'LICENSE';
}

function isTest(path: string): boolean {
  return /\.test\.ts$/.test(path);
}

/** Whatever comes to it begins at a test; or it is, or was, one. */
function isForTests(path: string, graph: Graph, standing: ReadonlySet<string>): boolean {
  if (isTest(path)) return true;
  const begins = [...standing].filter((file) => graph.importersOf(file).size === 0);
  return graph.files.includes(path) && begins.length > 0 && begins.every(isTest);
}

interface Found {
  readonly changed: readonly string[];
  readonly meant: readonly string[];
  readonly everybodys: readonly string[];
  /** Modules and test files. */
  readonly touched: number;
  readonly tests: number;
}

function reasonOf(
  { changed, meant, everybodys, touched, tests }: Found,
  graph: Graph,
  layout: Layout,
): string {
  if (changed.length === 0) return 'Nothing changed.';
  if (meant.length === 0) return 'Only what is written for people changed.';
  const [first, ...others] = everybodys;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : `, and so with ${others.length} more`;
    const standing = [...graph.standingOn(first)];
    const all = layout.modules.every((module) =>
      standing.some((file) => layout.foldersOf(module).some((folder) => file.startsWith(folder))),
    );
    return all
      ? `Every module stands on ${first}${more}.`
      : `${first} belongs to no module, and not to tests alone${more}.`;
  }
  if (touched === 0)
    return tests === 0 ? 'No module and no test comes to what changed.' : 'Only what tests stand on changed.';
  return `What changed belongs to modules, and touches ${touched} of ${layout.modules.length}.`;
}
