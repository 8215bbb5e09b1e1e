// The rules of the library (src/banyan): it has one face, folders that point one way, and no word of the shop
// (library-words.ts). Answers every breach with file, line and remedy, so that the message alone is enough to mend it.
import { dirname, join } from 'node:path';
import { wordsOfTheShop } from './library-words.ts';
import { type Breach, filesOf, type Import, importsOf, isOfTests } from './sources.ts';

const LIBRARY = 'src/banyan';
const FACE = `${LIBRARY}/index.ts`;

/** All breaches under `root` (the folder that holds src/). */
export function libraryBreaches(root: string): Breach[] {
  // A page for people may point to the shop: it stands beside the code, not in it.
  const files = filesOf(join(root, LIBRARY), '').filter((path) => !isOfTests(path) && !path.endsWith('.md'));
  const imports = files.filter((path) => path.endsWith('.ts')).flatMap((path) => importsOf(root, path));
  return [...outward(imports), ...cyclesOf(imports), ...files.flatMap((path) => wordsOfTheShop(root, path))];
}

function outward(imports: readonly Import[]): Breach[] {
  return imports.flatMap(({ file, line, target }) => {
    const breach = (message: string) => [{ file, line, message: `${file} imports ${target}. ${message}` }];
    if (target === '#banyan' || target === FACE)
      return breach('The library does not stand on its own face: import the file that has it.');
    if (isOfTests(target))
      return breach('The library stands on no test: move what both need into a file of its own.');
    if (
      target.startsWith(`${LIBRARY}/`) ||
      !/^(src|prisma|extracted|test|stage|bench|compare|pipeline|scripts)\//.test(target)
    )
      return [];
    return breach(
      'The library knows no product and no tool: let it be handed in (config/app.ts), or pass it as an option.',
    );
  });
}

/** Cycles of files, then of folders: the shortest way round that is found first. */
function cyclesOf(imports: readonly Import[]): Breach[] {
  const inside = imports.filter(({ target }) => target.startsWith(`${LIBRARY}/`));
  const files = graphOf(inside, (path) => path);
  const folders = graphOf(
    inside.filter(({ file, target }) => dirname(file) !== dirname(target) && file !== FACE),
    dirname,
  );
  return [
    ...roundsIn(files).map((round) =>
      cycleBreach(round, 'files form a cycle', 'Move what both need into a third file beneath them.'),
    ),
    ...roundsIn(folders).map((round) =>
      cycleBreach(
        round,
        'folders import in a circle',
        'Folders import downwards: move what ties them to the lower one, or to context/.',
      ),
    ),
  ];
}

type Graph = ReadonlyMap<string, ReadonlyMap<string, Import>>;

function graphOf(imports: readonly Import[], place: (path: string) => string): Graph {
  const graph = new Map<string, Map<string, Import>>();
  for (const one of imports) {
    const from = place(one.file);
    graph.set(from, (graph.get(from) ?? new Map<string, Import>()).set(place(one.target), one));
  }
  return graph;
}

/** One way round for each edge that closes one, told once. */
function roundsIn(graph: Graph): Import[][] {
  const rounds = new Map<string, Import[]>();
  for (const start of graph.keys()) {
    const way = wayRound(graph, start);
    if (way) rounds.set([...new Set(way.map(({ file }) => file))].sort().join(), way);
  }
  return [...rounds.values()];
}

function wayRound(graph: Graph, start: string): Import[] | undefined {
  const seen = new Set<string>();
  let ways: { readonly at: string; readonly way: Import[] }[] = [{ at: start, way: [] }];
  while (ways.length > 0) {
    const next: typeof ways = [];
    for (const { at, way } of ways)
      for (const [to, one] of graph.get(at) ?? []) {
        if (to === start) return [...way, one];
        if (seen.has(to)) continue;
        seen.add(to);
        next.push({ at: to, way: [...way, one] });
      }
    ways = next;
  }
  return undefined;
}

function cycleBreach(round: readonly Import[], what: string, remedy: string): Breach {
  const { file, line } = round[0]!;
  const way = round.map((one) => `${one.file} imports ${one.target}`).join(', ');
  return { file, line, message: `${what}: ${way}. ${remedy}` };
}
