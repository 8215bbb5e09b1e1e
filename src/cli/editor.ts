// A JSON text in the person's editor. Their work is never lost: the file stays until what is in it was taken.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { failure } from './failure.ts';

export interface Edited {
  readonly data: unknown;
  readonly path: string;
  /** Removes the file. */
  readonly done: () => void;
}

/** @param again the command that takes the file, for when the text cannot be taken now. */
export async function editJson(
  before: string,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  again: string,
): Promise<Edited> {
  const path = join(mkdtempSync(join(tmpdir(), 'banyan-edit-')), `${name}.json`);
  writeFileSync(path, `${before}\n`, { mode: 0o600 });
  const done = () => rmSync(dirname(path), { recursive: true, force: true });
  const editor = env.VISUAL || env.EDITOR || 'vi';
  const code = await open(editor, path);
  if (code !== 0) {
    done();
    throw failure(
      'no-editor',
      400,
      'The editor did not end well',
      `"${editor}" ended with ${code}. Nothing was sent.`,
      'Set EDITOR to one that waits, for example EDITOR="code --wait"',
    );
  }
  const after = readFileSync(path, 'utf8');
  if (after.trim() === before.trim()) {
    done();
    throw failure(
      'unchanged',
      400,
      'Nothing was changed',
      'So nothing was sent.',
      again.replace(/ --data$/, ''),
    );
  }
  try {
    return { data: JSON.parse(after), path, done };
  } catch (error) {
    throw failure(
      'not-json',
      400,
      'That is not JSON',
      `${(error as Error).message}.`,
      `Mend ${path}, then: ${again} ${path}`,
    );
  }
}

/** The editor may be a command with arguments, as in git: a shell takes it apart. */
function open(editor: string, path: string): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit' });
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 1));
  });
}
