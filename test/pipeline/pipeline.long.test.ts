// `banyan affected` and `banyan contract diff` as processes, on a clone in which real things change: the inside of a module,
// its contract, the library, words. Both leave the clone as it was.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openCheckout } from '../../pipeline/checkout.ts';

const root = join(import.meta.dirname, '../..');
const home = mkdtempSync(join(tmpdir(), 'banyan-clone-'));
const clone = join(home, 'banyan');
afterAll(() => rmSync(home, { recursive: true, force: true }));

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@a.example', ...args], {
    cwd: clone,
    encoding: 'utf8',
  });

/** What is here now, as the first commit of a repository of its own: a clone of ours would lack what is not committed. */
function begin(): void {
  for (const file of openCheckout(root).files()) {
    const isPicture = /\.(png|html)$/.test(file);
    if (!isPicture) cpSync(join(root, file), join(clone, file), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'), 'junction');
  git('init', '--quiet', '--initial-branch=main');
  // A link is no folder, as .gitignore means it.
  writeFileSync(join(clone, '.git/info/exclude'), 'node_modules\n');
  git('add', '--all');
  git('commit', '--quiet', '--message=The beginning');
  git('tag', 'v0.1.0');
}
begin();
beforeEach(() => {
  git('reset', '--hard', '--quiet', 'v0.1.0');
  git('clean', '--force', '--quiet', '-d');
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function banyan(...words: string[]): Said {
  const before = git('status', '--porcelain', '--untracked-files=all');
  const said = runBanyan(words);
  expect(git('status', '--porcelain', '--untracked-files=all')).toBe(before);
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
  return said;
}

function runBanyan(words: readonly string[]): Said {
  try {
    const out = execFileSync(process.execPath, ['bin/main.ts', ...words], {
      cwd: clone,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return { code: 0, out, err: '' };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, out: stdout, err: stderr };
  }
}

const json = <T>({ out }: Said) => JSON.parse(out) as T;
interface Affected {
  readonly all: boolean;
  readonly modules: readonly { readonly module: string; readonly because: readonly string[] }[];
  readonly tests: readonly string[];
}
interface Diff {
  readonly broken: number;
  readonly modules: readonly {
    readonly module: string;
    readonly broken: readonly { path: string }[];
    readonly added: readonly { path: string }[];
  }[];
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(join(clone, file), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(clone, file), text.replace(from, to));
}

const CONTRACT = 'src/modules/orders/contract.ts';
const affected = () => json<Affected>(banyan('affected', '--since', 'v0.1.0', '--json'));

test('nothing changed: nothing is touched, nothing differs', () => {
  expect(affected()).toMatchObject({ all: false, modules: [], tests: [] });
  const { code, out } = banyan('contract', 'diff', 'v0.1.0');
  expect(out).toContain('Nothing differs.');
  expect(code).toBe(0);
});

test('the inside of orders touches orders alone; committed, changed and new files count', () => {
  appendFileSync(join(clone, 'src/modules/orders/service.ts'), '// more\n');
  git('commit', '--quiet', '--all', '--message=More');
  appendFileSync(join(clone, 'src/modules/orders/repository.ts'), '// more\n');
  writeFileSync(join(clone, 'src/modules/orders/new.ts'), '// new\n');
  const { all, modules, tests } = affected();
  const because = ['new', 'repository', 'service'].map((name) => `src/modules/orders/${name}.ts`);
  expect({ all, modules }).toEqual({
    all: false,
    modules: [expect.objectContaining({ module: 'orders', because })],
  });
  expect(tests).toContain('src/modules/orders/orders.test.ts');
  expect(tests.filter((file) => /^src\/(banyan|modules\/(?!orders\/))/.test(file))).toEqual([]);
});

test('its contract touches those that use it', () => {
  appendFileSync(join(clone, CONTRACT), '// more\n');
  const { all, modules } = affected();
  expect(all).toBe(false);
  // Those that listen to its events, and itself; users, whom it asks, and media know nothing of it.
  expect(modules.map(({ module }) => module)).toEqual(['catalog', 'notifications', 'orders', 'payments']);
});

test('the library touches all, words nothing', () => {
  appendFileSync(join(clone, 'README.md'), '\nMore.\n');
  appendFileSync(join(clone, 'docs/events.md'), '\nMore.\n');
  expect(affected()).toMatchObject({ all: false, modules: [], tests: [] });
  appendFileSync(join(clone, 'src/banyan/calls/ref.ts'), '// more\n');
  const { all, modules } = affected();
  expect(all).toBe(true);
  expect(modules).toHaveLength(6);
  expect(banyan('affected', '--since', 'v0.1.0').out).toContain(
    'Every module stands on src/banyan/calls/ref.ts.',
  );
});

test('what a contract has more is added, what it takes back is broken: exit 3', () => {
  edit(
    CONTRACT,
    '  totalCents: cents(),\n  currency: currency(),\n  /** The style',
    '  totalCents: cents(),\n  currency: currency(),\n  gift: Type.Optional(Type.Boolean()),\n  /** The style',
  );
  const added = banyan('contract', 'diff', 'v0.1.0', '--json');
  expect(added.code).toBe(0);
  const [orders, ...others] = json<Diff>(added).modules;
  expect(others).toEqual([]);
  expect(orders).toMatchObject({ module: 'orders', broken: [] });
  expect(orders!.added.map(({ path }) => path)).toContain('/operations/show/output/gift');

  edit(CONTRACT, "path: '/api/orders/:id/timeline'", "path: '/api/orders/:id/history'");
  const broken = banyan('contract', 'diff', 'v0.1.0', '--json');
  expect(broken.code).toBe(3);
  expect(json<Diff>(broken).modules[0]!.broken.map(({ path }) => path)).toEqual([
    '/operations/timeline/http/path',
  ]);
  const { out } = banyan('contract', 'diff', 'v0.1.0');
  expect(out).toContain('broken   /operations/timeline/http/path\n');
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('a revision that there is not is told with what to do: exit 2; so are words that are missing', () => {
  for (const words of [
    ['affected', '--since', 'v9'],
    ['contract', 'diff', 'v9'],
  ]) {
    const { code, err } = banyan(...words);
    expect(code).toBe(2);
    expect(err).toContain('No such revision');
    expect(err).toMatch(/next {2}git fetch/);
  }
  expect(banyan('affected').code).toBe(2);
  expect(banyan('contract', 'diff').code).toBe(2);
  expect(json<{ code: string }>(banyan('contract', 'diff', 'v9', '--json')).code).toBe('revision-unknown');
});

test('contracts that cannot be read are told of, with the reason: exit 2', () => {
  edit(CONTRACT, "} from '#banyan';", "} from '#banyan-before';");
  const { code, err } = banyan('contract', 'diff', 'v0.1.0');
  expect(code).toBe(2);
  expect(err).toMatch(/Of the working tree: .*#banyan-before/s);
});
