// A task about a store, begun and watched until it ends; how it ended, for a person and for a script: 0 done, 3 rolled back or
// ended by somebody else, 4 refused, 1 for what else is not as it was asked for.
import type { Finding, Move, Store } from '../../banyan/servers/desk/contract.ts';
import { type Answer, type Client, connect } from '../client.ts';
import { Failure, report } from '../failure.ts';
import { followed } from '../followed.ts';
import { oneLine, wrapped } from '../plain.ts';
import { createProgress, type Progress } from '../progress.ts';
import { Reported } from '../several.ts';
import { doingInWords, drawNext, nextOf, pauseInWords, tablesInWords } from '../store-picture.ts';
import { type Style, styleFor, type Terminal } from '../terminal.ts';
import { pathOf } from './store-path.ts';

export interface FollowOptions {
  readonly terminal: Terminal;
  readonly module: string;
  readonly command: string;
  readonly json: boolean;
  readonly method: 'PUT' | 'POST';
  readonly path: string;
  readonly body?: object;
}

const ROLLED_BACK = 3;
const REFUSED = 4;
const LOOK_MS = 300;
const AWAY_MS = 60_000;
/** How far it is, where no line can change. */
const LINE_MS = 5_000;

/** Of the admin API: it was looked at, and it may not be. */
const refusals: readonly string[] = ['not-movable', 'pair-broken', 'host-too-old'];

export async function follow(options: FollowOptions): Promise<void> {
  const { terminal, module, command, json, method, path, body } = options;
  const client = connect(terminal, command);
  const progress = createProgress(terminal, json);
  try {
    progress.show(module, 'is asked');
    const begun = await client
      .ask<Store>(method, path, { body, next: { 'move-running': `npx banyan store show ${module}` } })
      .catch((error: unknown) => refuse(error, terminal, json));
    const last = await watch(client, options, begun, progress);
    progress.end();
    if (terminal.interrupted.aborted && isOpen(last.body)) leave(last, terminal, json);
    if (json) terminal.out.write(`${last.text}\n`);
    sayEnd(last.body, options);
  } finally {
    progress.end();
  }
}

const isOpen = ({ move }: Store) => move !== null && move.endedAt === null;

function watch(
  client: Client,
  { terminal, module, json }: FollowOptions,
  begun: Answer<Store>,
  progress: Progress,
): Promise<Answer<Store>> {
  let said = '';
  let line = '';
  let saidAt = 0;
  const show = ({ move }: Store) => {
    const doing = doingInWords(move!);
    progress.show(module, doing);
    const shape = `${move!.step} ${move!.attempt}`;
    const more = !terminal.err.isTerminal && doing !== line && Date.now() - saidAt > LINE_MS;
    if (json || (shape === said && !more)) return;
    const style = styleFor(terminal, terminal.out);
    const [first = '', ...others] = wrapped(oneLine(`${module} ${doing}`), 76);
    const text = [style('bold', module) + first.slice(module.length), ...others].join('\n  ');
    progress.above(() => terminal.out.write(`${text}\n`));
    [said, line, saidAt] = [shape, doing, Date.now()];
  };
  return followed(begun, {
    isOver: (store) => !isOpen(store),
    show,
    look: () => client.ask<Store>('GET', pathOf(module)),
    everyMs: LOOK_MS,
    awayMs: AWAY_MS,
    signal: terminal.interrupted,
  });
}

/** Every finding, and what to do about it. */
function refuse(error: unknown, terminal: Terminal, json: boolean): never {
  if (!(error instanceof Failure) || !refusals.includes(error.problem.code)) throw error;
  const findings = (error.problem.findings ?? []) as readonly Finding[];
  if (json || findings.length === 0) report(error, terminal, json);
  else sayFindings(error.problem.title, findings, terminal);
  throw new Reported(REFUSED);
}

function sayFindings(title: string, findings: readonly Finding[], terminal: Terminal): void {
  const style = styleFor(terminal, terminal.err);
  const lines = findings.flatMap(({ detail, remedy }) => [
    ...wrapped(oneLine(detail), 76).map((line, at) => `${at === 0 ? '- ' : '  '}${line}\n`),
    ...wrapped(oneLine(remedy), 74).map((line) => `  ${style('green', line)}\n`),
  ]);
  terminal.err.write(`${style('red', 'refused')} ${oneLine(title)}\n${lines.join('')}`);
}

function leave({ body, text }: Answer<Store>, terminal: Terminal, json: boolean): never {
  if (json) terminal.out.write(`${text}\n`);
  const style = styleFor(terminal, terminal.err);
  terminal.err.write(
    `What is done to the store of ${body.module} goes on without you.\n` +
      `${style('green', 'next')}  npx banyan store show ${body.module}, or npx banyan store abort ${body.module}\n`,
  );
  throw new Reported(130);
}

function sayEnd(body: Store, { terminal, command, json }: FollowOptions): void {
  const { module, move, server } = body;
  const endedByOther = move?.state === 'aborted' && command !== 'store abort';
  if (!json) {
    const style = styleFor(terminal, terminal.out);
    if (move === null)
      terminal.out.write(`${style('bold', module)} is on ${oneLine(server)}, and was never moved\n`);
    else if (move.state === 'refused') sayFindings(`${module} cannot be moved`, move.findings, terminal);
    else if (move.state === 'rolled-back') sayBack('rolled back', body, move, terminal);
    else if (endedByOther) sayBack('ended', body, move, terminal);
    else sayDone(body, move, style, terminal);
  }
  if (move === null) return;
  if (move.state === 'rolled-back' || endedByOther) throw new Reported(ROLLED_BACK);
  if (move.state === 'refused') throw new Reported(REFUSED);
  if (move.tables.some(({ alike }) => !alike)) throw new Reported(1);
}

function sayDone(body: Store, move: Move, style: Style, terminal: Terminal): void {
  const { module, server, epoch } = body;
  const ends: Readonly<Record<string, string>> = {
    moved: `is on ${oneLine(server)}, epoch ${epoch}`,
    rehearsed: `could move to ${oneLine(move.to)}; it is where it was`,
    checked: `can move from ${oneLine(move.from)} to ${oneLine(move.to)}: nothing stands in the way`,
    verified: `was compared on ${oneLine(move.from)} and ${oneLine(move.to)}`,
    finished: `stays on ${oneLine(server)}, and no server follows it any more`,
    aborted: `stays on ${oneLine(server)}; everything is as before`,
  };
  const good = move.tables.every(({ alike }) => alike) && move.why === null;
  const words = ends[move.state] ?? move.state;
  const more = [...pauseInWords(move), ...tablesInWords(move.tables)].map((line) => `  ${line}\n`);
  const why = [...(move.why === null || move.state === 'aborted' ? [] : [move.why]), ...move.notes].flatMap(
    (text) => wrapped(oneLine(text), 76).map((line) => `  ${style('yellow', line)}\n`),
  );
  terminal.out.write(
    `${style('bold', module)} ${style(good ? 'green' : 'yellow', words)}\n${more.join('')}${why.join('')}`,
  );
  if (move.state === 'moved') for (const line of drawNext(body, style)) terminal.out.write(`${line}\n`);
}

function sayBack(word: string, body: Store, move: Move, terminal: Terminal): void {
  const style = styleFor(terminal, terminal.err);
  const why = wrapped(oneLine(move.why ?? ''), 76).map((line) => `  ${line}\n`);
  const next = nextOf(body).map(([command]) => command);
  terminal.err.write(
    `${style('red', word)} ${body.module} is on ${oneLine(body.server)}, as before\n${why.join('')}` +
      `${style('green', 'next')}  ${next.join(', or ')}\n`,
  );
}
