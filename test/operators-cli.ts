// `banyan` in this process, as somebody who has no more than this environment.
import { banyan } from '../bin/commands.ts';

export async function banyanWith(
  env: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<{ exit: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const output = (to: 'out' | 'err') => ({
    isTerminal: false,
    write(text: string) {
      said[to] += text;
    },
  });
  const terminal = { env, out: output('out'), err: output('err'), interrupted: new AbortController().signal };
  const exit = await banyan(words, terminal);
  return { exit, ...said };
}
