// The module that CONTRIBUTING.md tells how to write is what the house does: its files, taken from the page, are put
// beside the modules of the product in a tree of links, its client is generated, and all of it passes the type check.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const tree = mkdtempSync(join(tmpdir(), 'contributing-'));
afterAll(() => rmSync(tree, { recursive: true }));

/** Each block of code after a line that names its file; the last of one name is the whole module, with everything in it. */
function filesOfThePage(): { path: string; text: string }[] {
  const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  const blocks = page.matchAll(
    /`((?:src|prisma)\/(?:modules\/)?reviews\/[\w.]+)`(?:(?!\n\n).)*?:\n\n```(?:ts|prisma)\n(.*?)```/gs,
  );
  return [...blocks].map(([, path, text]) => ({ path: path!, text: text! }));
}

/** Links to everything in a folder but what is made here. */
function link(folder: string, ...except: string[]): void {
  mkdirSync(join(tree, folder), { recursive: true });
  for (const name of readdirSync(join(root, folder)))
    if (!except.includes(name)) symlinkSync(join(root, folder, name), join(tree, folder, name));
}

test('the modules of CONTRIBUTING.md are compiled, and their wiring is no longer than the house allows', async () => {
  link('src', 'modules');
  link('src/modules');
  link('test');
  link('stage');
  for (const name of ['node_modules', 'package.json', 'tsconfig.json'])
    symlinkSync(join(root, name), join(tree, name));
  const files = filesOfThePage();
  const written = new Set<string>();
  for (const { path, text } of files) {
    const at = written.has(path) ? path.replace('.ts', '.more.ts') : path;
    written.add(at);
    mkdirSync(dirname(join(tree, at)), { recursive: true });
    writeFileSync(join(tree, at), text);
  }
  const module = 'src/modules/reviews';
  expect([...written].sort()).toEqual([
    'prisma/reviews/schema.prisma',
    `${module}/contract.ts`,
    `${module}/module.more.ts`,
    `${module}/module.ts`,
    `${module}/reviews.test.ts`,
    `${module}/saga.ts`,
    `${module}/seed.ts`,
    `${module}/service.ts`,
  ]);
  for (const name of ['module.ts', 'module.more.ts'])
    expect(readFileSync(join(tree, module, name), 'utf8').split('\n').length, name).toBeLessThanOrEqual(61);

  const node = join(root, 'node_modules/.bin/node');
  const prisma = join(root, 'node_modules/prisma/build/index.js');
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: node, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' };
  await execa(node, [prisma, 'generate', '--schema', 'prisma/reviews/schema.prisma'], { cwd: tree, env });
  const config = { extends: './tsconfig.json', include: [module] };
  writeFileSync(join(tree, 'tsconfig.page.json'), JSON.stringify(config));
  const { all } = await execa('npx', ['tsc', '-p', 'tsconfig.page.json'], {
    cwd: tree,
    all: true,
    reject: false,
  });
  expect(all).toBe('');
}, 120_000);
