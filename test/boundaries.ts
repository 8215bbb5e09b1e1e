// The rules of the house, derived from the folders: who may import whom, and what is alike in all modules. Answers
// every breach with file, line and remedy, so that the message alone is enough to mend it. Type-only imports count: a
// shape is a promise too. The rules of the library itself are in library.ts.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { longFunctions, MOST_LINES as MOST_LINES_OF_A_FUNCTION } from './function-length.ts';
import {
  type Breach,
  filesOf,
  type Import,
  importsOf,
  isOfTests,
  linesWith,
  slashed,
  sourceFiles,
} from './sources.ts';
import { longStatements } from './sql-of-modules.ts';

/** The folders whose imports are looked at, and what each may import of those beside it. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  src: [],
  bin: ['src', 'compare', 'pipeline'],
  compare: ['src', 'stage'],
  pipeline: ['src'],
};

/** What stands beside src/, for whoever works on it or measures it. */
const tools = ['bench', 'bin', 'compare', 'deploy', 'pipeline', 'scripts', 'stage', 'test'];

/** All breaches under `root` (the folder that holds src/, bin/, compare/, pipeline/ and prisma/). */
export function breaches(root: string): Breach[] {
  const imports = watchedFiles(root).flatMap((file) => importsOf(root, file));
  return [
    ...imports.flatMap((one) => breachOf(one)),
    ...environmentReaders(root),
    ...ownConnections(root),
    ...ownPools(root),
    ...longModules(root),
    ...statements(root),
    ...otherGenerators(root),
    ...cycles(root, imports),
    ...tooLong(root),
  ];
}

function breachOf({ file, line, target, forTests }: Import): Breach[] {
  const from = place(file);
  const to = place(target);
  const breach = (message: string) => [{ file, line, message }];
  const [folder] = file.split('/');
  const [top] = target.split('/');
  const allowed = mayImport[folder!]!;
  if (tools.includes(top!) && top !== folder && !allowed.includes(top!)) {
    return breach(
      folder === 'src'
        ? `${file} imports ${target}. Production imports nothing of tests and tools: move what both need into src/, or let bin/commands.ts hand it in.`
        : `${file} imports ${target}. What people are given stands on ${allowed.join(' and ')} alone: move what it needs there.`,
    );
  }
  if (folder === 'src' && isOfTests(target) && !forTests) {
    return breach(
      `${file} imports ${target}. Production imports nothing that is there for tests: move what it needs of it out of that folder.`,
    );
  }
  if (from.area === 'cli' && ['modules', 'commands'].includes(to.area)) {
    return breach(
      `the command line imports ${target}. It knows no module: make it a command in src/commands/, or a part of Application (src/cli/application.ts), and let bin/commands.ts hand it in.`,
    );
  }
  if (from.area === 'modules' && to.area === 'banyan' && !forTests) {
    return breach(
      `${from.module} imports ${target}. Modules take the library by its face: import it from '#banyan', and export it there if it is missing.`,
    );
  }
  if (
    from.area === 'modules' &&
    to.area === 'modules' &&
    from.module !== to.module &&
    to.file !== 'contract.ts'
  ) {
    return breach(
      `${from.module} imports ${target}. From another module only its contract may be imported: use src/modules/${to.module}/contract.ts, a ref, or an event.`,
    );
  }
  if (
    from.area === 'modules' &&
    from.file === 'contract.ts' &&
    to.area === 'modules' &&
    from.module !== to.module
  ) {
    return breach(
      `the contract of ${from.module} imports ${target}. A contract stands alone: repeat the shape, so that each side may change at its own time.`,
    );
  }
  if (from.area === 'modules' && ['cli', 'commands', 'top'].includes(to.area)) {
    return breach(`${from.module} imports ${target}. Modules know the library and contracts alone.`);
  }
  if (
    from.area !== 'modules' &&
    from.area !== 'banyan' &&
    to.area === 'modules' &&
    to.file !== 'contract.ts' &&
    to.file !== 'module.ts'
  ) {
    return breach(
      `${file} imports the inside of ${to.module}. Use its contract, or call it through its routes.`,
    );
  }
  if (target.startsWith('prisma/') && from.area === 'modules' && target.split('/')[1] !== from.module) {
    return breach(
      `${from.module} imports the store of ${target.split('/')[1]}. Each module has its own: ask by a ref, or keep what you need from events.`,
    );
  }
  return [];
}

interface Place {
  readonly area: string;
  readonly module?: string;
  readonly file?: string;
}

/** `src/modules/orders/service.ts` is area modules, module orders, file service.ts. */
function place(path: string): Place {
  const [top, area, module, ...rest] = path.split('/');
  if (top !== 'src') return { area: 'outside' };
  if (area === 'modules') return { area, module, file: rest.join('/') };
  return { area: module === undefined ? 'top' : area! };
}

/** Only src/banyan/config/environment.ts reads the environment, and the command line, which is another program. */
function environmentReaders(root: string): Breach[] {
  return watchedFiles(root).flatMap((path) => {
    const file = slashed(relative(root, path));
    if (
      file === 'src/banyan/config/environment.ts' ||
      file.startsWith('src/cli/') ||
      file.endsWith('.test.ts')
    )
      return [];
    return linesWith(path, /\bprocess\.env\b/).map((line) => ({
      file,
      line,
      message:
        'reads process.env. Only src/banyan/config/environment.ts does: add the setting there and pass it on.',
    }));
  });
}

/** A pool or client of PostgreSQL that is made elsewhere may end the process when it is lost. */
function ownConnections(root: string): Breach[] {
  return watchedFiles(root).flatMap((path) => {
    const file = slashed(relative(root, path));
    if (file === 'src/banyan/postgres/connections.ts' || /\.test\.ts$|\bfixture\.ts$|\/testing\b/.test(file))
      return [];
    if (!/from 'pg'/.test(readFileSync(path, 'utf8'))) return [];
    return linesWith(path, /\bnew (pg\.)?(Pool|Client)\(/).map((line) => ({
      file,
      line,
      message:
        'connects to PostgreSQL by itself. Use openPool or createClient of src/banyan/postgres/connections.ts: a connection that is lost must not end the process.',
    }));
  });
}

/** Which file opens which pool: what a module sends goes through its store's, so that it can be held, switched and tried. */
const pools: readonly { readonly call: RegExp; readonly by: readonly string[] }[] = [
  { call: /\bcreatePool\(/, by: ['src/banyan/store/create.ts', 'src/banyan/host/kit.ts'] },
  { call: /\bnew ModulePool\(/, by: ['src/banyan/store/create.ts'] },
  {
    call: /\bopenPool\(/,
    // The library's own schemas, and Prisma's engine for migrations.
    by: ['connections', 'module-pool', 'engine']
      .map((file) => `src/banyan/postgres/${file}.ts`)
      .concat('src/banyan/log/postgres.ts', 'src/banyan/placement/store.ts'),
  },
];

function ownPools(root: string): Breach[] {
  return watchedFiles(root).flatMap((path) => {
    const file = slashed(relative(root, path));
    if (!file.startsWith('src/') || /\.test\.ts$|\bfixture\.ts$|\/testing\b/.test(file)) return [];
    return pools.flatMap(({ call, by }) =>
      by.includes(file)
        ? []
        : linesWith(path, call).map((line) => ({
            file,
            line,
            message:
              'opens a pool of its own. What a module sends goes through kit.store or kit.outside, so that it can be held, moved and tried.',
          })),
    );
  });
}

/** All wiring of a module on one screen: what grows beyond it is no wiring. */
const MOST_LINES = 60;

function longModules(root: string): Breach[] {
  return watchedFiles(root).flatMap((path) => {
    const file = slashed(relative(root, path));
    if (!/^src\/modules\/[^/]+\/module\.ts$/.test(file)) return [];
    const line = readFileSync(path, 'utf8').trimEnd().split('\n').length;
    const message = `is ${line} lines long; a module.ts has at most ${MOST_LINES}. It only puts things together: move what does something into a file of its own.`;
    return line > MOST_LINES ? [{ file, line, message }] : [];
  });
}

function statements(root: string): Breach[] {
  const folder = join(root, 'src/modules');
  if (!existsSync(folder)) return [];
  return filesOf(folder, '')
    .filter((path) => /\.(ts|sql)$/.test(path) && !isOfTests(slashed(relative(root, path))))
    .flatMap((path) => longStatements(root, path));
}

/** Prisma asks for the same block in every schema: what one of them changes alone is a mistake. */
function otherGenerators(root: string): Breach[] {
  const folder = join(root, 'prisma');
  const schemas = existsSync(folder) ? filesOf(folder, 'schema.prisma') : [];
  const blocks = schemas.map((path) => {
    const text = readFileSync(path, 'utf8');
    const block = text.match(/^generator client \{\n[^}]*\}\n\ndatasource db \{\n[^}]*\}$/m);
    const file = slashed(relative(root, path));
    return { file, text: block?.[0], line: text.slice(0, block?.index ?? 0).split('\n').length };
  });
  const counts = Map.groupBy(blocks, ({ text }) => text);
  const usual = [...counts.values()].sort((a, b) => b.length - a.length)[0];
  return blocks.flatMap(({ file, line, text }) => {
    if (text !== undefined && text === usual?.[0]?.text) return [];
    const like = usual?.[0]?.file;
    const message = `has another generator or datasource block than the other schemas. Write both as in ${like}: one Prisma makes all clients.`;
    return [{ file, line, message }];
  });
}

/** What only tests load is not looked at: a suite is one function. */
function tooLong(root: string): Breach[] {
  return watchedFiles(root).flatMap((path) => {
    const file = slashed(relative(root, path));
    if (isOfTests(file) || !file.startsWith('src/')) return [];
    return longFunctions(readFileSync(path, 'utf8')).map(({ line, lines }) => ({
      file,
      line,
      message: `a function of ${lines} lines. It must fit on a screen, ${MOST_LINES_OF_A_FUNCTION} lines: name its parts, as functions, as methods of a class that keeps what they share, or as a file with an idea of its own. What is not counted is data: one literal without functions in it, returned after constants at most, or the object of a define…({ … }) that is all the function returns.`,
    }));
  });
}

/** Synchronous calls: `uses: [users, catalog]` of each module.ts. Events may flow both ways and are not looked at. */
function cycles(root: string, imports: readonly Import[]): Breach[] {
  const uses = new Map<string, Set<string>>();
  for (const { file, target } of imports) {
    const from = place(file);
    const to = place(target);
    if (from.module && to.module && from.module !== to.module && calls(root, file, to.module)) {
      uses.set(from.module, (uses.get(from.module) ?? new Set()).add(to.module));
    }
  }
  const found: Breach[] = [];
  const visit = (module: string, path: readonly string[]) => {
    const at = path.indexOf(module);
    if (at >= 0) {
      const cycle = [...path.slice(at), module].join(' -> ');
      if (at === 0)
        found.push({
          file: `src/modules/${module}/module.ts`,
          line: 1,
          message: `synchronous calls form a cycle: ${cycle}. Turn one of them into an event.`,
        });
      return;
    }
    for (const next of uses.get(module) ?? []) visit(next, [...path, module]);
  };
  for (const module of uses.keys()) visit(module, []);
  return found;
}

/** Whether the file takes a ref to the module. */
function calls(root: string, file: string, module: string): boolean {
  return new RegExp(`\\bref\\(\\s*${module}\\b`).test(readFileSync(join(root, file), 'utf8'));
}

function watchedFiles(root: string): string[] {
  return Object.keys(mayImport)
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap(sourceFiles);
}
