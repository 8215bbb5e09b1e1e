// A checkout as git knows it: which revision a word means, what changed since, and the files of another revision laid out
// in a folder. Guarantees: it changes nothing, neither the working tree nor the index nor anything in .git; paths are
// relative to the root of the product, with slashes. It does not know what the files mean.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { refusal } from './refusal.ts';

/** All blobs of a revision that are asked for at once. */
const MOST_BYTES = 512 * 1024 * 1024;

export interface Checkout {
  readonly root: string;
  /** The commit that a branch, tag or hash names; refuses what names none. */
  commit(revision: string): string;
  /** Where the history of HEAD left that of the commit; the commit itself where they have none in common. */
  base(commit: string): string;
  /** What differs between the commit and the working tree: committed, staged, changed, new, gone. */
  changedSince(commit: string): string[];
  /** Every file of the working tree that is not ignored. */
  files(): string[];
  /** Writes the files of the commit below these paths into a folder. */
  layOut(commit: string, paths: readonly string[], folder: string): void;
  /** The first line and the files of each commit after the one, the newest first. */
  commitsSince(commit: string): { readonly subject: string; readonly files: readonly string[] }[];
}

export function openCheckout(root: string): Checkout {
  const run = (args: readonly string[], input?: string) => {
    const done = spawnSync('git', args, {
      cwd: root,
      maxBuffer: MOST_BYTES,
      ...(input !== undefined && { input }),
    });
    if (done.error) {
      const { code, message } = done.error as NodeJS.ErrnoException;
      throw code === 'ENOENT'
        ? refusal(
            'git-missing',
            'git is not there',
            'What changed is asked of git, which is not on the PATH.',
            'Install git',
          )
        : refusal('git-failed', 'git could not be asked', message, 'Try it again');
    }
    return done;
  };
  const git = (args: readonly string[], input?: string): Buffer => {
    const { status, stdout, stderr } = run(args, input);
    if (status === 0) return stdout;
    const said = stderr
      .toString()
      .trim()
      .replaceAll(/\s*\n\s*/g, ' ');
    throw refusal(
      'git-failed',
      'git could not say',
      `git ${args[0]} in ${root}: ${said}`,
      'Run it in a clone of the repository',
    );
  };
  const lines = (args: readonly string[]) => git(args).toString().split('\0').filter(Boolean);

  return {
    root,
    commit(revision) {
      git(['rev-parse', '--git-dir']);
      const { status, stdout } = run([
        'rev-parse',
        '--verify',
        '--quiet',
        '--end-of-options',
        `${revision}^{commit}`,
      ]);
      if (status === 0) return stdout.toString().trim();
      throw unknown(revision, git(['rev-parse', '--is-shallow-repository']).toString().trim() === 'true');
    },
    base(commit) {
      const { status, stdout } = run(['merge-base', commit, 'HEAD']);
      return status === 0 ? stdout.toString().trim() : commit;
    },
    changedSince: (commit) =>
      [
        ...new Set([
          ...lines([
            'diff',
            '--name-only',
            '--no-renames',
            '--no-ext-diff',
            '--relative',
            '-z',
            commit,
            '--',
            '.',
          ]),
          ...lines(['ls-files', '--others', '--exclude-standard', '-z']),
        ]),
      ].sort(),
    files: () => lines(['ls-files', '--cached', '--others', '--exclude-standard', '-z']),
    layOut(commit, paths, folder) {
      const entries = lines(['ls-tree', '-r', '-z', '--full-name', commit, '--', ...paths]).flatMap(entryOf);
      const prefix = git(['rev-parse', '--show-prefix']).toString().trim();
      const blobs = git(['cat-file', '--batch'], entries.map(({ hash }) => `${hash}\n`).join(''));
      let at = 0;
      for (const { path } of entries) {
        // `<hash> blob <size>`, a line feed, the bytes, a line feed.
        const head = blobs.indexOf('\n', at);
        const size = Number(blobs.toString('utf8', at, head).split(' ')[2]);
        const file = join(folder, path.startsWith(prefix) ? path.slice(prefix.length) : path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, blobs.subarray(head + 1, head + 1 + size));
        at = head + 1 + size + 1;
      }
    },
    commitsSince: (commit) =>
      git(['log', '--no-merges', '--name-only', '--relative', '--format=%x01%s', `${commit}..HEAD`])
        .toString()
        .split('\u0001')
        .filter(Boolean)
        .map((text) => {
          const [subject, ...files] = text.split('\n').filter(Boolean);
          return { subject: subject!, files };
        }),
  };
}

/** `100644 blob <hash>\t<path>`; what is no file (a submodule) is left out. */
function entryOf(line: string): { hash: string; path: string }[] {
  const [about, path] = line.split('\t');
  const [, type, hash] = about!.split(' ');
  return type === 'blob' ? [{ hash: hash!, path: path! }] : [];
}

function unknown(revision: string, shallow: boolean) {
  return refusal(
    'revision-unknown',
    'No such revision',
    `git knows no commit "${revision}" here.${shallow ? ' This clone has a part of the history alone.' : ''}`,
    shallow
      ? 'git fetch --unshallow --tags'
      : 'git fetch --tags origin, and name a branch, a tag or a hash: git log --oneline',
  );
}
