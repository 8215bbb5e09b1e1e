import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { libraryBreaches } from './library.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const told = (at: string) =>
  libraryBreaches(at).map(({ file, line, message }) => `${file}:${line} ${message}`);

test('the library keeps its rules', () => {
  expect(told(root)).toEqual([]);
});

describe('the check itself can fail', () => {
  let made: string | undefined;
  afterEach(() => made && rmSync(made, { recursive: true }));

  const library = (files: Record<string, string>) => {
    made = mkdtempSync(join(tmpdir(), 'library-'));
    for (const [name, text] of Object.entries(files)) {
      const path = join(made, 'src/banyan', name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    return told(made);
  };

  test('two files that import each other, a type alone', () => {
    const found = library({
      'calls/a.ts': "import type { B } from './b.ts';\n",
      'calls/b.ts': "import { a } from './a.ts';\n",
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^src\/banyan\/calls\/[ab]\.ts:1 files form a cycle: .*a third file beneath them/,
    );
  });

  test('three folders in a circle, over files that form none', () => {
    const found = library({
      'calls/a.ts': "import { one } from '../store/one.ts';\n",
      'store/one.ts': '',
      'store/two.ts': "import { low } from '../log/low.ts';\n",
      'log/low.ts': '',
      'log/high.ts': "\nimport { b } from '../calls/b.ts';\n",
      'calls/b.ts': '',
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /folders import in a circle: (?=.*calls\/)(?=.*store\/)(?=.*log\/).*Folders import downwards/,
    );
  });

  test('a folder and one within it that import each other', () => {
    const found = library({
      'log/open.ts': "import { kafka } from './kafka/log.ts';\n",
      'log/port.ts': '',
      'log/kafka/log.ts': "import type { Port } from '../port.ts';\n",
    });
    expect(found.join()).toMatch(/folders import in a circle/);
  });

  test('a library that knows a product, a tool, a test or its own face', () => {
    const found = library({
      'host/load.ts': "import { users } from '../../modules/users/contract.ts';\n",
      'host/start.ts': "import { launch } from '../../../stage/launch.ts';\n",
      'host/run.ts': "import { broker } from '../log/testing/broker.ts';\n",
      'host/face.ts': "import { on } from '#banyan';\n",
    });
    expect(found.filter((one) => /load\.ts:1 .*let it be handed in/.test(one))).toHaveLength(1);
    expect(found.filter((one) => /start\.ts:1 .*let it be handed in/.test(one))).toHaveLength(1);
    expect(found.filter((one) => /run\.ts:1 .*stands on no test/.test(one))).toHaveLength(1);
    expect(found.filter((one) => /face\.ts:1 .*import the file that has it/.test(one))).toHaveLength(1);
  });

  test('words of the shop: in a text, in a path, as the name of an example; not in plain English', () => {
    const found = library({
      'host/a.ts': "const signers = ['users'];\n",
      'host/b.ts': 'const entry = `/srv/extracted/main.ts`;\n',
      'host/c.ts': '// `orders-2` is `orders`\n',
      'host/d.ts': "// what orders the guesses of all users\nconst sql = 'ORDER BY id';\n",
      'host/e.ts': "throw libraryProblem('unsupported-media-type');\n",
      'host/f.ts': 'const sql = `\n  SELECT 1 FROM users.account`;\n',
      'host/g.ts': '/** One. @example kit.ref(users).get({ id }) */\n',
      'host/h.ts': 'const at = /[/]/; // as of `orders`\n',
      'host/orders.ts': '',
      'host/i.sql': '-- the lock that orders its events\nSELECT 1 FROM orders;\n',
      'host/j.css': '@media print {\n  a[href="src/modules/a"] {}\n}\n',
    });
    expect(found.map((one) => one.split(' ')[0]).sort()).toEqual([
      'src/banyan/host/a.ts:1',
      'src/banyan/host/b.ts:1',
      'src/banyan/host/c.ts:1',
      'src/banyan/host/f.ts:2',
      'src/banyan/host/g.ts:1',
      'src/banyan/host/h.ts:1',
      'src/banyan/host/i.sql:2',
      'src/banyan/host/j.css:2',
      'src/banyan/host/orders.ts:1',
    ]);
  });
});
