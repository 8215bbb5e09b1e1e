// `banyan ladder M`: up to its service step by step, each on evidence; and the group of commands about it. It watches until
// the ladder ends, and whoever stops watching stops nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Ladder } from '../../banyan/ladder/contract.ts';
import { type Answer, type Client, connect } from '../client.ts';
import { Failure, misused } from '../failure.ts';
import { headline, stepsInWords } from '../ladder-picture.ts';
import { oneLine } from '../plain.ts';
import { createProgress, type Progress } from '../progress.ts';
import type { Register } from '../register.ts';
import { Reported } from '../several.ts';
import { styleFor, type Terminal } from '../terminal.ts';
import { acts, pathOf } from './ladder-acts.ts';
import { sayEnd } from './ladder-end.ts';

interface Options {
  readonly steps?: readonly string[];
  readonly until?: number;
  readonly minSeconds?: number;
  readonly minRequests?: number;
  readonly maxSeconds?: number;
  readonly confirm?: boolean;
  readonly json?: boolean;
}

const HELP = `
Examples:
  banyan ladder orders                      all the way up; ends when it is there
  banyan ladder orders --until 50           and stays at 50 %
  banyan ladder orders --confirm            waits for a promote at each rung
  banyan ladder status orders               where it is, and on what evidence
  banyan ladder promote orders --reason …   the next rung now
  banyan ladder demote orders               back into the monolith, at once

Exit code: 0 at its end, 3 when it came down, 4 when it pauses for want of
traffic. Ctrl-C leaves it running.`;

export const ladder: Register = (program, terminal) => {
  const group = program
    .command('ladder')
    .description('move a module up step by step, on evidence alone; it comes down by itself')
    .argument('[module]', 'the module')
    .option('--steps <list>', 'rising shares in percent; shadow first if at all (shadow,1,10,50,100)', steps)
    .option('--until <N>', 'the share that is its end; default 100, and background work', number(1, 100))
    .option('--min-seconds <N>', 'at least so long on each rung (120)', number(1, 604_800))
    .option('--min-requests <N>', 'at least so many requests to the service (300)', number(1, 1_000_000_000))
    .option('--max-seconds <N>', 'pause on a rung without a verdict by then (3600)', number(1, 2_592_000))
    .option('--confirm', 'wait for `banyan ladder promote` at each rung')
    .option('--json', 'print the admin answer unchanged, when it ends')
    .addHelpText('after', HELP)
    .action((module: string | undefined, options: Options) => climb(terminal, module, options));
  acts(group as Command, terminal);
};

async function climb(terminal: Terminal, module: string | undefined, options: Options): Promise<void> {
  if (module === undefined)
    throw misused('Which module?', 'npx banyan ladder orders, or npx banyan ladder --help');
  const { json = false, ...wish } = options;
  const client = connect(terminal, 'ladder');
  const progress = createProgress(terminal, json);
  try {
    await ensureInstance(client, module, progress);
    progress.show(module, 'on its first rung');
    const begun = await client.ask<Ladder>('PUT', pathOf(module), {
      body: wish,
      next: {
        'ladder-running': `npx banyan ladder status ${module}`,
        'ladder-not-needed': `npx banyan restore ${module}`,
      },
    });
    if (!json) sayBegun(begun.body, terminal);
    const last = await watch(client, terminal, begun, progress, json);
    progress.end();
    if (terminal.interrupted.aborted) return leave(last, terminal, json);
    if (json) terminal.out.write(`${last.text}\n`);
    sayEnd(last.body, terminal, json);
  } finally {
    progress.end();
  }
}

/** One process is enough to begin with; those there are stay as they are. */
async function ensureInstance(client: Client, module: string, progress: Progress): Promise<void> {
  const { body } = await client.placements();
  const entry = body.modules.find((one) => one.module === module);
  if (!entry || entry.instances.some(({ healthy }) => healthy)) return;
  progress.show(module, 'starting a process');
  await client.services(module, Math.max(1, entry.desired));
}

const LOOK_MS = 500;
/** A monolith that restarts is waited for. */
const AWAY_MS = 30_000;

/** Until it needs nobody any more, or the person leaves. */
async function watch(
  client: Client,
  terminal: Terminal,
  begun: Answer<Ladder>,
  progress: Progress,
  json: boolean,
): Promise<Answer<Ladder>> {
  let last = begun;
  let awaySince = 0;
  while (!isOver(last.body) && !terminal.interrupted.aborted) {
    progress.show(last.body.module, doing(last.body));
    await sleep(LOOK_MS, undefined, { signal: terminal.interrupted }).catch(() => {});
    try {
      const now = await client.ask<Ladder>('GET', pathOf(begun.body.module));
      if (!json) sayStep(last.body, now.body, terminal);
      last = now;
      awaySince = 0;
    } catch (error) {
      if (terminal.interrupted.aborted) break;
      awaySince ||= Date.now();
      if (!(error instanceof Failure && error.problem.status >= 500) || Date.now() - awaySince > AWAY_MS)
        throw error;
    }
  }
  return last;
}

const isOver = ({ state, waits }: Ladder) =>
  state !== 'running' && !(state === 'paused' && waits === 'person');

const doing = (body: Ladder) =>
  `${headline(body, Date.now())}${body.reason ? `; ${oneLine(body.reason)}` : ''}`;

function sayBegun({ module, steps, weaker }: Ladder, terminal: Terminal): void {
  const style = styleFor(terminal, terminal.out);
  terminal.out.write(`${style('bold', module)} climbs: ${stepsInWords(steps)}\n`);
  for (const one of weaker) terminal.out.write(`  ${style('yellow', oneLine(one))}\n`);
}

/** What stays on the screen: each change of rung or state. */
function sayStep(before: Ladder, now: Ladder, terminal: Terminal): void {
  const shape = ({ state, rung, waits }: Ladder) => `${state} ${rung} ${waits}`;
  if (shape(before) === shape(now) || isOver(now)) return;
  const style = styleFor(terminal, terminal.out);
  terminal.out.write(`${style('bold', now.module)} ${headline(now, Date.now())}\n`);
}

function leave({ body, text }: Answer<Ladder>, terminal: Terminal, json: boolean): never {
  if (json) terminal.out.write(`${text}\n`);
  const style = styleFor(terminal, terminal.err);
  terminal.err.write(
    `The ladder of ${body.module} goes on without you.\n` +
      `${style('green', 'next')}  npx banyan ladder status ${body.module}, or npx banyan ladder stop ${body.module}\n`,
  );
  throw new Reported(130);
}

function steps(text: string): string[] {
  const list = text.split(',').map((one) => one.trim());
  if (list.every((one) => one === 'shadow' || (/^[1-9]\d{0,2}$/.test(one) && Number(one) <= 100)))
    return list;
  throw new InvalidArgumentError('It takes rising shares from 1 to 100, for example shadow,1,10,50,100.');
}

const number = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
};
