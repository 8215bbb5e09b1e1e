// Which modules and tests a change touches, told from the imports alone.
import { expect, test } from 'vitest';
import { affectedBy } from '../../pipeline/affected/affected.ts';
import { drawAffected } from '../../pipeline/affected/picture.ts';
import { graphOf } from '../../pipeline/graph/graph.ts';
import { specifiersOf } from '../../pipeline/graph/imports.ts';
import type { Layout } from '../../pipeline/layout.ts';

const modules = ['media', 'orders', 'users'];
const layout: Layout = {
  modules,
  folder: 'src/modules/',
  library: 'src/banyan/',
  foldersOf: (module) => [`src/modules/${module}/`, `prisma/${module}/`, `extracted/${module}/`],
};

const graph = graphOf(
  Object.entries({
    'src/banyan/index.ts': [],
    'src/banyan/run.ts': ['src/banyan/index.ts'],
    'src/banyan/ground.fixture.ts': [],
    'src/banyan/run.test.ts': ['src/banyan/run.ts', 'src/banyan/ground.fixture.ts'],
    'src/shop.ts': [],
    'src/main.ts': ['src/shop.ts', 'src/banyan/run.ts'],
    'src/modules/users/contract.ts': ['src/banyan/index.ts', 'src/modules/users/words.ts'],
    'src/modules/users/words.ts': [],
    'src/modules/users/service.ts': ['src/modules/users/contract.ts'],
    'src/modules/users/module.ts': ['src/modules/users/service.ts'],
    'src/modules/users/users.test.ts': ['src/modules/users/service.ts'],
    'src/modules/orders/contract.ts': ['src/banyan/index.ts'],
    'src/modules/orders/module.ts': ['src/modules/orders/contract.ts', 'src/modules/users/contract.ts'],
    'src/modules/orders/orders.test.ts': ['src/modules/orders/module.ts'],
    'src/modules/media/contract.ts': ['src/banyan/index.ts'],
    'src/modules/media/module.ts': ['src/modules/media/contract.ts'],
    // Its test looks at another module; its code does not.
    'src/modules/media/media.test.ts': ['src/modules/media/module.ts', 'src/modules/orders/contract.ts'],
    ...Object.fromEntries(
      modules.map((module) => [`extracted/${module}/main.ts`, ['src/banyan/run.ts', 'src/shop.ts']]),
    ),
    'test/checkout.test.ts': ['test/sums.ts', 'src/modules/orders/contract.ts'],
    'test/sums.ts': [],
    'tools/run.ts': [],
  }),
);

const touched = (...changed: string[]) => {
  const { all, modules, tests } = affectedBy(changed, graph, layout);
  return { all, modules: modules.map(({ module }) => module), tests };
};

const mediaTest = 'src/modules/media/media.test.ts';
const ordersTest = 'src/modules/orders/orders.test.ts';
const usersTest = 'src/modules/users/users.test.ts';
const checkoutTest = 'test/checkout.test.ts';

test('the inside of a module touches that module alone', () => {
  expect(touched('src/modules/users/service.ts')).toEqual({
    all: false,
    modules: ['users'],
    tests: [usersTest],
  });
});

test.each(['src/modules/users/contract.ts', 'src/modules/users/words.ts'])(
  'a contract, and what it stands on, touches those that use it: %s',
  (changed) => {
    const found = affectedBy([changed], graph, layout);
    expect(found.modules).toEqual([
      { module: 'orders', because: [changed], tests: [ordersTest] },
      { module: 'users', because: [changed], tests: [usersTest] },
    ]);
    expect(found.tests).toEqual([ordersTest, usersTest]);
  },
);

test('a test that comes to what changed runs, and its module is not touched by that', () => {
  expect(touched('src/modules/orders/contract.ts')).toEqual({
    all: false,
    modules: ['orders'],
    tests: [mediaTest, ordersTest, checkoutTest],
  });
});

test.each(['prisma/orders/migrations/1_more/migration.sql', 'extracted/orders/package.json'])(
  'tables and the service belong to their module: %s',
  (changed) => expect(touched(changed)).toEqual({ all: false, modules: ['orders'], tests: [ordersTest] }),
);

test.each([
  ['the library', 'src/banyan/index.ts', 'Every module stands on src/banyan/index.ts.'],
  ['what starts a host', 'src/shop.ts', 'Every module stands on src/shop.ts.'],
  ['a file of the root', 'package.json', 'package.json belongs to no module, and not to tests alone.'],
  ['a tool', 'tools/run.ts', 'tools/run.ts belongs to no module, and not to tests alone.'],
  [
    'a module that is gone',
    'src/modules/gone/contract.ts',
    'src/modules/gone/contract.ts belongs to no module',
  ],
])('%s touches all', (_what, changed, reason) => {
  const found = affectedBy([changed, 'src/modules/users/service.ts'], graph, layout);
  expect(found).toMatchObject({ all: true, reason: expect.stringContaining(reason) });
  expect(found.modules.map(({ module, because }) => [module, because])).toEqual(
    modules.map((module) => [module, [changed]]),
  );
  expect(found.tests).toEqual(graph.files.filter((file) => file.endsWith('.test.ts')).sort());
});

test.each([
  ['test/sums.ts', [checkoutTest]],
  ['test/checkout.test.ts', [checkoutTest]],
  ['src/banyan/ground.fixture.ts', ['src/banyan/run.test.ts']],
  ['test/gone.test.ts', []],
])('what only tests stand on touches those: %s', (changed, tests) => {
  expect(touched(changed)).toEqual({ all: false, modules: [], tests });
});

test('words for people touch nothing', () => {
  const found = affectedBy(
    ['docs/a.png', 'README.md', 'src/modules/users/NOTES.md', 'LICENSE'],
    graph,
    layout,
  );
  expect(found).toMatchObject({ all: false, modules: [], tests: [] });
  expect(found.reason).toBe('Only what is written for people changed.');
  expect(affectedBy([], graph, layout).reason).toBe('Nothing changed.');
});

test('every way in which a file names another is seen, types too; packages and words in texts are not', () => {
  const text = `
    import one, { type Two } from './one.ts';
    import type { Three } from "./three.ts";
    import './four.ts';
    export { five } from './five.ts';
    export type * from './six.ts';
    import pg from 'pg';
    import type { Seven } from '#banyan';
    let eight: import('./eight.ts').Eight<string>;
    const nine = async (): Promise<unknown> => (await import('./nine.ts')).nine satisfies object;
    const ten = new URL('./ten.ts', import.meta.url);
    const said = "import x from './said.ts'";
    // import y from './comment.ts';
  `;
  expect(specifiersOf('some.ts', text).sort()).toEqual(
    ['./one.ts', './three.ts', './four.ts', './five.ts', './six.ts', 'pg', '#banyan']
      .concat('./eight.ts', './nine.ts', './ten.ts')
      .sort(),
  );
});

test('in words, in 80 columns', () => {
  const long = `src/modules/users/${'a-long-name-'.repeat(8)}.ts`;
  const changed = [long, 'src/modules/users/a.ts', 'src/modules/users/b.ts', 'src/modules/users/c.ts'];
  const found = affectedBy([...changed, 'src/modules/users/d.ts'], graph, layout);
  const at = { since: 'origin/main', base: '0123456789abcdef' };
  const text = drawAffected(found, at, (_look, words) => words);
  expect(text).toContain('5 files changed since origin/main (0123456789ab)\n');
  expect(text).toMatch(/\n {2}users {2}src\/modules\/users\/a-long-name-[^\n]*…\n {9}src/);
  expect(text).toContain('and 2 more\n');
  expect(text).toContain('1 test file to run; --json names them.');
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const none = drawAffected(affectedBy(['README.md'], graph, layout), at, (_look, words) => words);
  expect(none).toContain('Nothing to test, nothing to build.');
});
