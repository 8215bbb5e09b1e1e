// The runbook that an alarm names: a heading of docs/operations.md, what stands under it, and the first command there, which is
// carried out as somebody would who has just been woken.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { banyanWith } from '../../operators-cli.ts';

const PAGE = 'docs/operations.md';

export interface Runbook {
  readonly heading: string;
  readonly text: string;
  /** The first line of its first block of commands; undefined: it has none. */
  readonly command: string | undefined;
}

/** As GitHub makes a heading's anchor. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** Undefined where there is no such heading. */
export function runbookOf(link: string, page = readPage()): Runbook | undefined {
  const [path, anchor] = link.split('#');
  if (path !== PAGE) return undefined;
  const parts = page.split(/^(?=#{2,4} )/m);
  const found = parts.find((part) => anchorOf(headingOf(part)) === anchor);
  if (found === undefined) return undefined;
  const block = /^```sh\n(?<commands>[\s\S]*?)^```/m.exec(found)?.groups?.commands;
  const [first] = block?.split('\n', 1) ?? [];
  const command = first?.replace(/\s+#.*$/, '').trim();
  return { heading: headingOf(found), text: found, command };
}

const headingOf = (part: string): string => part.split('\n', 1)[0]!.replace(/^#+ /, '');

function readPage(): string {
  return readFileSync(new URL(`../../../${PAGE}`, import.meta.url), 'utf8');
}

export interface Tried {
  readonly command: string;
  readonly exit: number;
  readonly said: string;
}

/** Undefined where the runbook has no command. @param about what stands for `<module>` and the like. */
export async function tryRunbook(
  link: string,
  env: Readonly<Record<string, string>>,
  about: Readonly<Record<string, string>>,
): Promise<Tried | undefined> {
  const written = runbookOf(link)?.command;
  if (written === undefined) return undefined;
  const command = written.replace(/<(\w+)>/g, (all, name: string) => about[name] ?? all);
  const ours = /^npx banyan (?<words>.*)$/.exec(command)?.groups?.words;
  if (ours !== undefined) {
    const { exit, out, err } = await banyanWith(env, ...ours.split(' '));
    return { command, exit, said: out + err };
  }
  const path = { PATH: process.env.PATH };
  return promisify(execFile)('bash', ['-c', command], { env: { ...path, ...env }, timeout: 20_000 }).then(
    ({ stdout, stderr }) => ({ command, exit: 0, said: stdout + stderr }),
    (error: { code?: number; stdout?: string; stderr?: string }) => ({
      command,
      exit: error.code ?? -1,
      said: `${error.stdout ?? ''}${error.stderr ?? ''}`,
    }),
  );
}
