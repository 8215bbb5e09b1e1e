// `banyan logs M`: what the processes of a module wrote, from DATA_DIR/logs on this machine.
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { dataDirOf } from '../client.ts';
import { failure } from '../failure.ts';
import type { Register } from '../register.ts';
import { styleFor, type Terminal } from '../terminal.ts';

interface Options {
  readonly follow?: boolean;
  readonly lines?: number;
  readonly json?: boolean;
}

export const logs: Register = (program, terminal) => {
  program
    .command('logs')
    .description("print what a module's processes wrote")
    .argument('<module>', 'a module (orders) or one process of it (orders-1)')
    .option('-f, --follow', 'go on with what they write next')
    .option('-n, --lines <N>', 'only the last N lines of each', lines)
    .option('--json', 'the lines as they were written')
    .action(async (module: string, { follow, lines, json = false }: Options) => {
      const folder = join(dataDirOf(terminal), 'logs');
      const files = () => filesOf(folder, module);
      if (files().length === 0)
        throw failure(
          'no-logs',
          404,
          'There is no log',
          `No process named ${module} has written to ${folder}. While a module is in-process, its log is the monolith's own output.`,
          'npx banyan status (which modules there are, and where each runs)',
        );
      const printer = await createPrinter(terminal, json);
      const read = new Map<string, number>();
      for (const path of files()) printer.print(path, tail(readOn(path, read), lines), files().length > 1);
      while (follow && !terminal.interrupted.aborted) {
        await sleep(200, undefined, { signal: terminal.interrupted }).catch(() => {});
        for (const path of files()) printer.print(path, readOn(path, read), files().length > 1);
      }
    });
};

function filesOf(folder: string, module: string): string[] {
  if (!existsSync(folder)) return [];
  const isIts = (id: string) => id === module || id.replace(/-\d+$/, '') === module;
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log') && isIts(basename(name, '.log')))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => join(folder, name));
}

/** The whole lines since the last time; from the start when the file was turned over. */
function readOn(path: string, read: Map<string, number>): string[] {
  const { size } = statSync(path);
  const last = read.get(path) ?? 0;
  const from = size < last ? 0 : last;
  const bytes = Buffer.alloc(size - from);
  const file = openSync(path, 'r');
  readSync(file, bytes, 0, bytes.length, from);
  closeSync(file);
  const end = bytes.lastIndexOf('\n') + 1;
  read.set(path, from + end);
  return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
}

function tail(all: string[], count: number | undefined): string[] {
  return count === undefined ? all : count === 0 ? [] : all.slice(-count);
}

async function createPrinter(terminal: Terminal, json: boolean) {
  const { out } = terminal;
  const style = styleFor(terminal, out);
  // Loaded here, because it takes longer than the other commands do in all.
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: out.isTerminal && !terminal.env.NO_COLOR,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
    singleLine: true,
  });
  const shown = (line: string) => (!json && out.isTerminal ? String(pretty(line)).trimEnd() : line);
  return {
    print(path: string, lines: readonly string[], several: boolean) {
      const name = several && !json ? `${style('cyan', basename(path, '.log'))} │ ` : '';
      for (const line of lines) out.write(`${name}${shown(line)}\n`);
    },
  };
}

function lines(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new InvalidArgumentError('It takes a whole number.');
}
