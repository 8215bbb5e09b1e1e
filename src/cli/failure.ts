// A command that could not be done: a problem as the admin API answers it, and the step to take next.
import type { ProblemBody } from '../banyan/contract/problem.ts';
import { styleFor, type Terminal } from './terminal.ts';

export class Failure extends Error {
  readonly problem: ProblemBody;
  /** The step to take, when `detail` does not say it. */
  readonly next: string | undefined;
  /** The problem as a server sent it; undefined when it comes from this program. */
  readonly text: string | undefined;
  /** Of the program. */
  readonly exit: number;

  constructor(problem: ProblemBody, next?: string, text?: string, exit = 1) {
    super(problem.detail ?? problem.title);
    this.name = 'Failure';
    this.problem = problem;
    this.next = next;
    this.text = text;
    this.exit = exit;
  }
}

/** A failure that no server said: it has the same shape. */
export function failure(code: string, status: number, title: string, detail: string, next?: string): Failure {
  return new Failure({ type: `urn:banyan:problem:cli:${code}`, title, status, code, detail }, next);
}

/** What a person wrote was not understood. */
export function misused(detail: string, next: string): Failure {
  return failure('usage', 400, 'The command was not understood', detail, next);
}

/** Words that are missing, or options that do not go together: 2, so that a script tells its own mistake from what was refused. */
export function misusedOption(detail: string, next: string): Failure {
  const { problem } = misused(detail, next);
  return new Failure(problem, next, undefined, 2);
}

/** With --json the problem on stdout, as it was answered; else sentences on stderr. */
export function report(failed: Failure, terminal: Terminal, json: boolean): void {
  if (json) {
    const { problem, next, text } = failed;
    terminal.out.write(`${text ?? JSON.stringify(next ? { ...problem, next } : problem)}\n`);
    return;
  }
  const style = styleFor(terminal, terminal.err);
  const { title, detail, errors } = failed.problem;
  const fields = errors?.map(({ path, message }) => `  ${path} ${message}\n`).join('') ?? '';
  const sentences = detail ? `${terminal.err.isTerminal ? wrap(detail) : `  ${detail}`}\n` : '';
  terminal.err.write(`${style('red', 'error')} ${title}\n${sentences}${fields}`);
  if (failed.next) terminal.err.write(`${style('green', 'next')}  ${failed.next}\n`);
}

/** Broken between words at 78 columns, indented by two. */
function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1)!.length + word.length > 76) lines.push('');
    lines.push(`${lines.pop()} ${word}`.trimStart());
  }
  return lines.map((line) => `  ${line}`).join('\n');
}
