// The rules of the library (src/banyan): it has one face, folders that point one way, and no word of the shop. Answers
// every breach with file, line and remedy, so that the message alone is enough to mend it.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Breach, type Import, importsOf, isOfTests, slashed, sourceFiles } from './sources.ts';

const LIBRARY = 'src/banyan';
const FACE = `${LIBRARY}/index.ts`;

/** All breaches under `root` (the folder that holds src/). */
export function libraryBreaches(root: string): Breach[] {
  const files = sourceFiles(join(root, LIBRARY)).filter((path) => !isOfTests(path));
  const imports = files.flatMap((path) => importsOf(root, path));
  return [...outward(imports), ...cyclesOf(imports), ...files.flatMap((path) => words(root, path))];
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

/** The shop's modules, and where this repository keeps them. `media` is a word of HTTP, too. */
const shop =
  /\b(users|orders|catalog|payments|notifications)\b|(?<!-)\bmedia\b(?![ -]type)|src\/modules|extracted\//i;
/** In a comment they may be plain English, as in "it orders them": there only what names a module counts. */
const named =
  /\b(users|orders|catalog|media|payments|notifications)(-\d|\.[a-z]\w|\/[a-z]\w)|[`'](users|orders|catalog|media|payments|notifications)[`']|src\/modules|extracted\//;

function words(root: string, path: string): Breach[] {
  const file = slashed(relative(root, path));
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const comment = /^\s*(\/\/|\*|\/\*)/.test(text);
      const found = comment
        ? named.exec(text)
        : stringsOf(text)
            .map((one) => shop.exec(one))
            .find(Boolean);
      if (!found) return [];
      const message = `says "${found[0]}". The library knows no word of the shop: let it be told, and use another name in an example.`;
      return [{ file, line: index + 1, message }];
    });
}

/** What stands between quotes of any kind on one line; of SQL over many lines each line is its own. */
function stringsOf(line: string): string[] {
  const code = line.replace(/\s\/\/ .*$/, '');
  return /^\s*import /.test(code) ? [] : (code.match(/'[^']*'|"[^"]*"|`[^`]*`?/g) ?? []);
}
