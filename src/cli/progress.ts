// What is going on, one line per module that changes while it goes: on a terminal, on stderr, and nowhere else.
import { styleFor, type Terminal } from './terminal.ts';

export interface Progress {
  show(module: string, doing: string): void;
  /** Something is said that stays, above the lines. */
  above(say: () => void): void;
  /** Wipes the lines: what is said now stays. */
  end(): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export function createProgress(terminal: Terminal, silent: boolean): Progress {
  const { err } = terminal;
  if (silent || !err.isTerminal) return { show() {}, above: (say) => say(), end() {} };
  const style = styleFor(terminal, err);
  const lines = new Map<string, string>();
  let drawn = 0;
  let frame = 0;

  /** A line that the terminal breaks in two would not be wiped whole. */
  const fitting = (text: string) => {
    const room = Math.max(10, (err.columns ?? 80) - 3);
    return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
  };
  const wipe = () => {
    if (drawn > 0) err.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = () => {
    wipe();
    const spinner = style('cyan', frames[frame++ % frames.length]!);
    for (const [module, doing] of lines) err.write(`${spinner} ${fitting(`${module}: ${doing}`)}\n`);
    drawn = lines.size;
  };
  const timer = setInterval(draw, 100);
  return {
    show(module, doing) {
      lines.set(module, doing);
      draw();
    },
    above(say) {
      wipe();
      say();
      draw();
    },
    end() {
      clearInterval(timer);
      wipe();
    },
  };
}
