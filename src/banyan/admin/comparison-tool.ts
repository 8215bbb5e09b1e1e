// The product's tool that compares, as processes: `<command> --a … --out DIR` measures, says on stderr what it does, puts
// report.json and report.html there, and ends by a signal leaving nothing; `<command> diff OLD NEW --json` says what differs.
// It is told nothing of this host's environment but what every process needs.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Asked } from './comparisons-contract.ts';

export interface ComparisonTool {
  /** A program and its first arguments. */
  readonly command: readonly [string, ...string[]];
  readonly works: readonly string[];
  /** All of the environment that it gets. */
  readonly env: Readonly<Record<string, string>>;
}

/** The words after the command. */
export function wordsOf({ a, b, self, work, length, rounds }: Asked): string[] {
  return [
    ...(a === undefined ? [] : ['--a', a]),
    ...(b === undefined || self ? [] : ['--b', b]),
    ...(self ? ['--self'] : []),
    ...(work === undefined ? [] : ['--work', work]),
    ...(length === undefined || length === 'default' ? [] : [`--${length}`]),
    ...(rounds === undefined ? [] : ['--rounds', String(rounds)]),
  ];
}

export function spawnTool(
  { command: [program, ...first], env }: ComparisonTool,
  words: readonly string[],
): ChildProcess {
  return spawn(program, [...first, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Lines of a stream, each cut where nobody would read on. */
export function onLines(stream: NodeJS.ReadableStream, hear: (line: string) => void): void {
  createInterface({ input: stream }).on('line', (line) => {
    const text = line.trim().slice(0, 500);
    if (text !== '') hear(text);
  });
}

/** What it says of two reports; rejects with what it says instead. */
export async function differenceBy(
  tool: ComparisonTool,
  older: string,
  newer: string,
  withinMs: number,
): Promise<Record<string, unknown>> {
  const child = spawnTool(tool, ['diff', older, newer, '--json']);
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  let [out, said] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (part: string) => {
    out += part;
  });
  child.stderr!.setEncoding('utf8').on('data', (part: string) => {
    said = (said + part).slice(-2_000);
  });
  await new Promise<void>((resolve, reject) => child.once('close', () => resolve()).once('error', reject));
  clearTimeout(timer);
  try {
    return JSON.parse(out) as Record<string, unknown>;
  } catch {
    throw new Error(inOneLine(said) || 'the tool ended without a word');
  }
}

export const inOneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, ' ').trim();
