// `banyan compare`: two architectures on the same work, in instances of its own. Progress on stderr, the report on
// stdout with the finding as its first line. Exit 0 when it measured, whatever it found; Ctrl-C leaves nothing.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InvalidArgumentError } from 'commander';
import { moduleNames } from '../../src/banyan/config/environment.ts';
import { dataDirOf } from '../../src/cli/client.ts';
import { Failure, misused } from '../../src/cli/failure.ts';
import { createProgress } from '../../src/cli/progress.ts';
import type { Register } from '../../src/cli/register.ts';
import { styleFor, type Terminal } from '../../src/cli/terminal.ts';
import { shopApp } from '../../src/shop.ts';
import type { Compared } from '../compare.ts';
import { Refusal } from '../errors/refusal.ts';
import type { CompareOptions, Mode } from '../options.ts';
import { DEFAULT_PAIRS, FEWEST_PAIRS, MOST_PAIRS } from '../options.ts';
import { compareDiff } from './diff.ts';
import { refused } from './refused.ts';

interface Options {
  readonly a?: string;
  readonly b?: string;
  readonly extract?: string;
  readonly self?: boolean;
  readonly quick?: boolean;
  readonly full?: boolean;
  readonly work: string;
  readonly rounds: number;
  readonly rate?: number;
  readonly seed: number;
  readonly log: 'postgres' | 'kafka';
  readonly out?: string;
  readonly json?: boolean;
}

const examples = `
Examples:
  banyan compare                                monolith and services: 5 minutes
  banyan compare --full                         with capacity and all faults: 22
  banyan compare --extract orders,payments --work checkout
  banyan compare --a monolith --b "services:orders; catalog x2"
  banyan compare --quick --self                 under a minute; finds nothing
  banyan compare diff OLD NEW                   what became worse, for CI

It runs instances of its own and never touches one that runs. docs/compare.md
says how it measures and what a work file may hold.`;

export const compareCommand: Register = (program, terminal) => {
  const group = program
    .command('compare')
    .description('measure two architectures on the same work, side by side')
    .option('--a <shape>', 'one side (default: monolith)')
    .option('--b <shape>', 'the other (default: services)')
    .option('--extract <modules>', 'the same as --b services:<modules>')
    .option('--self', 'A against A: must find no difference')
    .option('--quick', 'under a minute, and rough')
    .option('--full', 'everything, about 22 minutes')
    .option('--work <name>', 'browse, checkout, media, mixed, or a file', 'mixed')
    .option('--rounds <N>', 'pairs of rounds, at least 6', whole(FEWEST_PAIRS, MOST_PAIRS), DEFAULT_PAIRS)
    .option('--rate <N>', 'requests a second (default: by what they cost)', whole(1, 100_000))
    .option('--seed <N>', 'of the requests', whole(0, 2 ** 32 - 1), 1)
    .option('--log <which>', 'events over postgres or kafka', broker, 'postgres')
    .option('--broker <which>', 'the same as --log', broker)
    .option('--out <dir>', 'where the report goes (default: .banyan/compare/<time>)')
    .option('--json', 'print report.json instead of the picture')
    .addHelpText('after', examples)
    .action(async (given: Options & { broker?: Options['log'] }) => {
      const options = { ...given, log: given.broker ?? given.log };
      await refused(() => run(options, terminal));
    });
  compareDiff(group, terminal);
};

async function run(options: Options, terminal: Terminal): Promise<void> {
  const { readWorkload } = await import('../workload/read.ts');
  const { compare } = await import('../compare.ts');
  const { signal, release } = interruptions();
  const progress = progressOn(terminal);
  let undoOut: () => unknown = () => {};
  try {
    const modules = moduleNames(shopApp);
    const out = resolve(options.out ?? join(dataDirOf(terminal), 'compare', stamp()));
    const workload = readWorkload(options.work, modules);
    const topologies = await topologiesOf(options, modules);
    // Before minutes are spent: the report must have a place.
    undoOut = prepareOut(out);
    const compared = await compare({
      ...topologies,
      mode: modeOf(options),
      self: options.self ?? false,
      workload,
      modules,
      pairs: options.rounds,
      seed: options.seed,
      perSecond: options.rate,
      log: options.log,
      command: `banyan compare ${process.argv.slice(3).map(quoted).join(' ')}`.trim(),
      env: baseEnv(terminal),
      signal,
      say: progress.say,
    });
    progress.end();
    await tell(compared, out, options, terminal);
  } catch (error) {
    undoOut();
    if (!signal.aborted) throw brokeOff(error as Error);
    throw new Refusal('interrupted', 'Interrupted', 'Nothing was measured, and nothing is left running.');
  } finally {
    progress.end();
    release();
  }
}

async function tell(
  { report, recorded }: Compared,
  out: string,
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const json = `${JSON.stringify(report, null, 2)}\n`;
  const { htmlReport } = await import('../report/html.ts');
  try {
    writeFileSync(join(out, 'report.json'), json);
    writeFileSync(join(out, 'report.html'), htmlReport(report));
    const lines = recorded.flatMap((pair, index) =>
      pair.map((one) => JSON.stringify({ pair: index, ...plain(one) })),
    );
    writeFileSync(join(out, 'requests.jsonl.gz'), gzipSync(`${lines.join('\n')}\n`));
  } catch (error) {
    // What was measured is not lost because a disk is full: it is printed.
    terminal.err.write(`The report could not be written to ${out}: ${(error as Error).message}\n`);
  }
  if (options.json) terminal.out.write(json);
  else {
    const { terminalReport } = await import('../report/terminal.ts');
    terminal.out.write(`${terminalReport(report, styleFor(terminal, terminal.out))}\n`);
    terminal.out.write(`\n  Report  ${join(out, 'report.html')}\n`);
  }
}

/** The tokens in it are of instances that are gone, and nobody's business still. */
function plain<T extends { headers?: Readonly<Record<string, string>> }>(one: T): T {
  const { authorization, ...headers } = one.headers ?? {};
  return { ...one, headers: { ...headers, ...(authorization && { authorization: 'Bearer …' }) } };
}

async function topologiesOf({ a, b, extract, self }: Options, modules: readonly string[]) {
  const { parseTopology } = await import('../topology/syntax.ts');
  if (extract !== undefined && b !== undefined)
    throw misused('--extract and --b both say what the other side is.', 'npx banyan compare --help');
  if (self && (extract !== undefined || b !== undefined))
    throw misused(
      '--self compares a with itself, so there is no other side to name.',
      'npx banyan compare --help',
    );
  const one = parseTopology(a ?? 'monolith', modules);
  if (self) return { a: one, b: one };
  return {
    a: one,
    b: parseTopology(extract === undefined ? (b ?? 'services') : `services:${extract}`, modules),
  };
}

function modeOf({ quick, full }: Options): Mode {
  if (quick && full) throw misused('--quick and --full exclude one another.', 'npx banyan compare --help');
  return quick ? 'quick' : full ? 'full' : 'default';
}

/** What the machine did not let it do, as a problem; a mistake of ours keeps its stack. */
function brokeOff(error: Error): Error {
  if (
    error instanceof Refusal ||
    error instanceof Failure ||
    /^(Type|Reference|Range)Error$/.test(error.name)
  )
    return error;
  const causes = [error, error.cause].filter((one) => one instanceof Error) as (Error & { code?: string })[];
  const full = causes.some(
    ({ code, message }) => code === 'ENOSPC' || /No space left|disk is full/.test(message),
  );
  return new Refusal(
    full ? 'no-room' : 'broke-off',
    full ? 'The disk is full' : 'The comparison broke off',
    error.message.replaceAll(/\s*\n\s*/g, ' ').slice(0, 500),
    full ? 'Make room, or set TMPDIR to a folder that has 1 GB free' : undefined,
  );
}

/**
 * Makes a folder and those above it; answers the highest that it made. One by one: Node's own recursive mkdir never
 * ends where the system says of a folder that is there that it is not (/proc).
 */
function makeFolders(path: string): string | undefined {
  if (existsSync(path)) return undefined;
  const above = makeFolders(dirname(path));
  mkdirSync(path);
  return above ?? path;
}

/** Answers how to take back what it made, where nothing came of it. */
function prepareOut(out: string): () => unknown {
  try {
    const made = makeFolders(out);
    const probe = join(out, '.writable');
    writeFileSync(probe, '');
    rmSync(probe);
    return () => made !== undefined && rmSync(made, { recursive: true, force: true });
  } catch (error) {
    throw new Refusal(
      'no-out',
      'The report has no place',
      `${out} cannot be written: ${(error as Error).message}.`,
      'Name another folder: --out DIR',
    );
  }
}

/** What every process gets of this one's environment. */
function baseEnv({ env }: Terminal): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'JAVA_HOME'];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

/** Each of them, as often as it comes: a terminal and a wrapper may both send one. */
function interruptions(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const stop = () => controller.abort(new Error('interrupted'));
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    release() {
      for (const name of names) process.off(name, stop);
    },
  };
}

function progressOn(terminal: Terminal): { say: CompareOptions['say']; end(): void } {
  if (terminal.err.isTerminal) {
    const lines = createProgress(terminal, false);
    return { say: (_phase, doing) => lines.show('compare', doing), end: () => lines.end() };
  }
  return { say: (phase, doing) => terminal.err.write(`${phase}: ${doing}\n`), end() {} };
}

function whole(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
  };
}

function broker(text: string): 'postgres' | 'kafka' {
  if (text === 'postgres' || text === 'kafka') return text;
  throw new InvalidArgumentError('It is postgres or kafka.');
}

const stamp = () => new Date().toISOString().slice(0, 19).replaceAll(':', '-');
const quoted = (word: string) => (/^[\w./=,:-]+$/.test(word) ? word : `'${word}'`);
