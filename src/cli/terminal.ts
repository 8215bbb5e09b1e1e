// Where the command line reads and writes. The one place of this program that looks at the process: a test
// gives its own. Colours only on a terminal, and never when NO_COLOR is set (https://no-color.org).
import { styleText } from 'node:util';

export interface Terminal {
  /** BANYAN_URL, BANYAN_TOKEN, ADMIN_TOKEN, DATA_DIR, NO_COLOR. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
}

export interface Output {
  /** A person looks at it: colours, and lines that change. */
  readonly isTerminal: boolean;
  /** How wide the terminal is now; undefined: nobody knows. */
  readonly columns?: number | undefined;
  write(text: string): void;
}

export type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

export function processTerminal(): Terminal {
  const interrupt = new AbortController();
  process.once('SIGINT', () => {
    interrupt.abort();
    process.exitCode = 130;
  });
  // `banyan logs | head` closes the pipe: no news worth an error.
  process.stdout.on('error', () => process.exit());
  const output = (stream: NodeJS.WriteStream): Output => ({
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns;
    },
    write: (text) => void stream.write(text),
  });
  return {
    env: process.env,
    out: output(process.stdout),
    err: output(process.stderr),
    interrupted: interrupt.signal,
  };
}

export function styleFor({ env }: Terminal, output: Output): Style {
  const coloured = output.isTerminal && !env.NO_COLOR;
  return (format, text) => (coloured ? styleText(format, text, { validateStream: false }) : text);
}
