// What a command of `banyan` leaves on the screen of a terminal, the command above it: lines with their colours, for a
// picture. Lines that were drawn over are gone, and whoever records it has a neutral name.
import { hostname, userInfo } from 'node:os';
import { banyan } from '../bin/commands.ts';
import type { Terminal } from '../src/cli/terminal.ts';

const ESCAPE = '\u001b';
/** So many lines up, and all below is wiped. */
const UP = new RegExp(`(${ESCAPE}\\[\\d+A${ESCAPE}\\[J)`);
const PROMPT = '\u001b[32m$\u001b[39m';
const SOMEBODY = 'ada@laptop';

export interface Recorded {
  readonly lines: readonly string[];
  readonly exit: number;
}

/** With the exit code as a shell would say it, where it is not 0. */
export async function recorded(
  words: string,
  { url, adminToken }: { readonly url: string; readonly adminToken: string },
): Promise<Recorded> {
  let screen = '';
  const output = {
    isTerminal: true,
    columns: 80,
    write(text: string) {
      for (const part of text.split(UP)) {
        const up = UP.test(part) ? Number.parseInt(part.slice(2), 10) : 0;
        screen = up > 0 ? screen.replace(new RegExp(`(?:[^\\n]*\\n){${up}}$`), '') : screen + part;
      }
    },
  };
  const env = { BANYAN_URL: url, ADMIN_TOKEN: adminToken, DATA_DIR: '/nowhere' };
  const terminal: Terminal = { env, out: output, err: output, interrupted: new AbortController().signal };
  const exit = await banyan(words.split(' '), terminal);
  const me = `${userInfo().username}@${hostname()}`;
  const said = screen.replaceAll(me, SOMEBODY).replace(/\n+$/, '').split('\n');
  const code = exit === 0 ? [] : [`${PROMPT} echo $?`, String(exit)];
  return { lines: [`${PROMPT} npx banyan ${words}`, ...said, ...code], exit };
}
