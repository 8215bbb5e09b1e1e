import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { breaches } from './boundaries.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

test('every import of the house keeps its rules', () => {
  expect(breaches(root).map(({ file, line, message }) => `${file}:${line} ${message}`)).toEqual([]);
});

describe('the check itself can fail', () => {
  let made: string | undefined;
  afterEach(() => made && rmSync(made, { recursive: true }));

  const house = (files: Record<string, string>) => {
    if (made) rmSync(made, { recursive: true, force: true });
    made = mkdtempSync(join(tmpdir(), 'house-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(made, name)), { recursive: true });
      writeFileSync(join(made, name), text);
    }
    return breaches(made).map(({ file, line, message }) => `${file}:${line} ${message}`);
  };

  test('a module that imports the inside of another', () => {
    const found = house({
      'src/modules/orders/service.ts': "// one\nimport { find } from '../users/repository.ts';\n",
      'src/modules/users/repository.ts': 'export const find = 1;\n',
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^src\/modules\/orders\/service\.ts:2 .*only its contract.*src\/modules\/users\/contract\.ts/,
    );
  });

  test('a module that takes the library by another way than its face', () => {
    const found = house({
      'src/modules/users/service.ts':
        "import { problem } from '../../banyan/contract/problem.ts';\nimport { on } from '#banyan';\n",
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^src\/modules\/users\/service\.ts:1 .*import it from '#banyan'/);
  });

  test('a module with a hand in the store of another', () => {
    const found = house({
      'src/modules/orders/service.ts':
        "import type { User } from '../../../prisma/users/client/client.ts';\n",
    });
    expect(found[0]).toMatch(/imports the store of users/);
  });

  test('production that imports what tests or tools have', () => {
    const launch = "import { launch } from '../../../stage/launch.ts';\n";
    const found = house({
      'src/banyan/supervisor/local.ts': launch,
      'src/banyan/supervisor/local.test.ts': launch,
      'src/host/start.ts': "const { compare } = await import('../../compare/compare.ts');\n",
      'src/main.ts': "import { banyan } from '../bin/commands.ts';\n",
    });
    expect(found).toHaveLength(3);
    expect(found.join()).toMatch(/src\/banyan\/supervisor\/local\.ts:1 .*move what both need into src\//);
    expect(found.join()).toMatch(/src\/host\/start\.ts:1 .*imports compare\/.*bin\/commands\.ts hand it in/);
    expect(found.join()).toMatch(/src\/main\.ts:1 .*imports bin\//);
  });

  test('production that imports what is there for tests', () => {
    const broker = "import { startBroker } from '../events/testing/broker.ts';\n";
    const found = house({
      'src/banyan/store/server.ts': broker,
      'src/banyan/store/server.test.ts': broker,
      'src/banyan/store/server.fixture.ts': broker,
      'src/banyan/store/conformance.ts': `import { test } from 'vitest';\n${broker}`,
      'src/banyan/events/testing/stand.ts': "import { startBroker } from './broker.ts';\n",
      'src/host/start.ts': "import { shop } from './shop.fixture.ts';\n",
      'compare/testbed.ts': "import { startBroker } from '../src/banyan/events/testing/broker.ts';\n",
    });
    expect(found).toHaveLength(2);
    expect(found.join()).toMatch(
      /src\/banyan\/store\/server\.ts:1 .*move what it needs of it out of that folder/,
    );
    expect(found.join()).toMatch(/src\/host\/start\.ts:1 /);
  });

  test('a command line that knows a module or its commands', () => {
    const found = house({
      'src/cli/run.ts': "import { saga } from '../commands/saga.ts';\n",
      'src/cli/commands/saga.ts': "import type { Order } from '../../modules/orders/contract.ts';\n",
      'src/commands/saga.ts': "import type { Order } from '../modules/orders/contract.ts';\n",
    });
    expect(found).toHaveLength(2);
    expect(found.join()).toMatch(/src\/cli\/run\.ts:1 .*let bin\/commands\.ts hand it in/);
    expect(found.join()).toMatch(/src\/cli\/commands\/saga\.ts:1 .*make it a command in src\/commands\//);
  });

  test('a tool of people that stands on tests', () => {
    const found = house({
      'compare/instance.ts': "import { launch } from '../stage/launch.ts';\n",
      'compare/load.ts': "import { ground } from '../test/ground.ts';\n",
      'bin/commands.ts': "import { compare } from '../compare/compare.ts';\nimport '../bench/run.ts';\n",
      'compare/stock.ts': "import { find } from '../src/modules/catalog/repository.ts';\n",
    });
    expect(found).toHaveLength(3);
    expect(found.join()).toMatch(/compare\/load\.ts:1 .*stands on src and stage alone/);
    expect(found.join()).toMatch(/bin\/commands\.ts:2 .*stands on src and compare and pipeline alone/);
    expect(found.join()).toMatch(/compare\/stock\.ts:1 .*the inside of catalog/);
  });

  test('two modules that call each other', () => {
    const module = (other: string) =>
      `import { ${other} } from '../${other}/contract.ts';\nkit.ref(${other});\n`;
    const found = house({
      'src/modules/a/module.ts': module('b'),
      'src/modules/b/module.ts': module('a'),
      'src/modules/a/contract.ts': '',
      'src/modules/b/contract.ts': '',
    });
    expect(found.some((one) => /a -> b -> a\. Turn one of them into an event/.test(one))).toBe(true);
  });

  test('a module that imports the settings of the host', () => {
    const found = house({
      'src/modules/media/module.ts': "import type { Settings } from '../../banyan/config/settings.ts';\n",
    });
    expect(found[0]).toMatch(/^src\/modules\/media\/module\.ts:1 .*import it from '#banyan'/);
  });

  test('a module whose wiring is longer than a screen', () => {
    const lines = (count: number) => '// one\n'.repeat(count);
    expect(house({ 'src/modules/media/module.ts': lines(60) })).toEqual([]);
    expect(house({ 'src/modules/media/module.ts': lines(61) })[0]).toMatch(/module\.ts:61 is 61 lines long/);
  });

  test('a schema that has a client made otherwise', () => {
    const schema = (runtime: string) =>
      `// One\ngenerator client {\n  runtime = "${runtime}"\n}\n\ndatasource db {\n  provider = "postgresql"\n}\n`;
    const usual = { 'src/a.ts': '', 'prisma/a/schema.prisma': schema('nodejs') };
    expect(house({ ...usual, 'prisma/b/schema.prisma': schema('nodejs') })).toEqual([]);
    const found = house({
      ...usual,
      'prisma/b/schema.prisma': schema('nodejs'),
      'prisma/c/schema.prisma': schema('deno'),
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^prisma\/c\/schema\.prisma:2 .*as in prisma\/a\/schema\.prisma/);
  });

  test('somebody else who opens connections', () => {
    const found = house({
      'src/banyan/limits/count.ts': "import pg from 'pg';\nexport const pool = new pg.Pool({});\n",
    });
    expect(found[0]).toMatch(/^src\/banyan\/limits\/count\.ts:2 .*src\/banyan\/postgres\/connections\.ts/);
  });

  test('a pool beside that of the store', () => {
    const found = house({
      'src/banyan/jobs/queue.ts': "const pool = createPool(url, 'jobs', log);\n",
      'src/banyan/saga/rows.ts': 'const pool = openPool({ max: 1 });\n',
    });
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/^src\/banyan\/jobs\/queue\.ts:1 opens a pool of its own.*kit\.store/);
  });

  test('somebody else who reads the environment', () => {
    const found = house({ 'src/modules/media/storage.ts': 'const url = process.env.STORAGE_URL;\n' });
    expect(found[0]).toMatch(/^src\/modules\/media\/storage\.ts:1 .*src\/banyan\/config\/environment\.ts/);
  });

  test('a statement of a module that is too much for one', () => {
    const lines = (count: number) => '  AND true\n'.repeat(count);
    const statement = (count: number) => `const sql = \`\n  SELECT 1 WHERE true\n${lines(count)}\`;\n`;
    const places = (count: number) =>
      `const sql = \`INSERT INTO a VALUES (${Array.from({ length: count }, (_, n) => `$${n + 1}`)})\`;\n`;
    const found = house({
      'src/modules/users/fits.ts': statement(14) + places(8),
      'src/modules/users/long.ts': `// one\n${statement(15)}`,
      'src/modules/users/wide.ts': places(9),
      'src/modules/users/long.sql': `SELECT 1;\nSELECT 2 WHERE true\n${lines(15)};\n`,
      'src/modules/users/long.test.ts': statement(15),
      'src/banyan/store/long.ts': statement(15),
    });
    expect(found.map((one) => one.split('. ')[0]).sort()).toEqual([
      'src/modules/users/long.sql:1 a statement of 16 lines',
      'src/modules/users/long.ts:2 a statement of 16 lines',
      'src/modules/users/wide.ts:1 a statement of 9 parameters',
    ]);
  });

  test('a function that does not fit on a screen', () => {
    const lines = (count: number, line: string) => `${line}\n`.repeat(count);
    const sql = `  return \`\n${lines(100, 'SELECT 1;')}\`;\n`;
    const found = house({
      'src/banyan/fits.ts': `export function fits() {\n${lines(78, '  work();')}}\n`,
      'src/banyan/long.ts': `export function long() {\n${lines(79, '  work();')}}\n`,
      'src/banyan/closure.ts': `export const make = () => ({\n${lines(80, '  one: () => work(),')}});\n`,
      'src/banyan/method.ts': `export class Some {\n  async run() {\n${lines(79, '    work();')}  }\n}\n`,
      'src/banyan/table.ts': `export function table(name: string) {\n  const one = name;\n${sql}}\n`,
      'src/banyan/no-table.ts': `export function table(name: string) {\n  work(name);\n${sql}}\n`,
      'src/banyan/definition.ts': `export function steps(some: Some) {\n  return defineSteps<Some>({\n${lines(100, '    one: () => work(),')}  });\n}\n`,
      'src/banyan/long-step.ts': `export const steps = () =>\n  defineSteps({\n    one() {\n${lines(79, '      work();')}    },\n  });\n`,
      'src/banyan/no-definition.ts': `export function steps() {\n  return run({\n${lines(80, '    one: () => work(),')}  });\n}\n`,
      'src/banyan/no-definition-alone.ts': `export function steps() {\n  const some = work();\n  return defineSteps({\n${lines(80, '    one: () => work(),')}  });\n}\n`,
      'src/banyan/long.test.ts': `test('', () => {\n${lines(79, '  work();')}});\n`,
    });
    expect(found.map((one) => one.split(' ')[0]).sort()).toEqual([
      'src/banyan/closure.ts:1',
      'src/banyan/long-step.ts:3',
      'src/banyan/long.ts:1',
      'src/banyan/method.ts:2',
      'src/banyan/no-definition-alone.ts:1',
      'src/banyan/no-definition.ts:1',
      'src/banyan/no-table.ts:1',
    ]);
    expect(found.join()).toMatch(/a function of 81 lines\. .*name its parts/);
  });
});
