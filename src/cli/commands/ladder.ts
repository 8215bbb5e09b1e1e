// `banyan ladder M`: up to its service step by step, each on evidence; and the group of commands about it. It watches until
// the ladder ends, and whoever stops watching stops nothing.
import { type Command, InvalidArgumentError } from 'commander';
import type { Ladder } from '../../banyan/ladder/desk/contract.ts';
import { policyOf } from '../../banyan/ladder/judge/rungs.ts';
import type { Entry } from '../../banyan/placement/admin-contract.ts';
import { type Answer, type Client, connect } from '../client.ts';
import { Failure, failure, misusedOption } from '../failure.ts';
import { followed } from '../followed.ts';
import { headline, shadowInWords, stepsInWords } from '../ladder-picture.ts';
import { oneLine, wrapped } from '../plain.ts';
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
traffic, 1 when somebody stopped it, 2 when the command was not understood.
Ctrl-C leaves it running.`;

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
    throw misusedOption('Which module?', 'npx banyan ladder orders, or npx banyan ladder --help');
  const { json = false, ...wish } = options;
  refuseNowhere(wish);
  const client = connect(terminal, 'ladder');
  const progress = createProgress(terminal, json);
  try {
    const started = await ensureInstance(client, module, progress);
    progress.show(module, 'on its first rung');
    const begun = await begin(client, module, wish, started);
    if (!json) progress.above(() => sayBegun(begun.body, terminal));
    const last = await watch(client, terminal, begun, progress, json);
    progress.end();
    if (terminal.interrupted.aborted) return leave(last, terminal, json);
    if (json) terminal.out.write(`${last.text}\n`);
    sayEnd(last.body, terminal, json, await entryOf(client, last.body));
  } finally {
    progress.end();
  }
}

/** Where a person's hand has stopped it. Without an answer it is where it last was. */
async function entryOf(client: Client, { module, state }: Ladder): Promise<Entry | undefined> {
  if (state !== 'stopped') return undefined;
  const placements = await client.placements().catch(() => undefined);
  return placements?.body.modules.find((one) => one.module === module);
}

type Wish = Omit<Options, 'json'>;

/** Before a process is started for it. What only the server knows it says itself. */
function refuseNowhere(wish: Wish): void {
  const policy = policyOf(wish);
  if ('complaint' in policy)
    throw failure(
      'steps-invalid',
      422,
      'These steps lead nowhere',
      `${policy.complaint}.`.replace(/^./, (first) => first.toUpperCase()),
      'npx banyan ladder --help',
    );
}

/** One process is enough to begin with; those there are stay as they are. Answers whether it is this command's. */
async function ensureInstance(client: Client, module: string, progress: Progress): Promise<boolean> {
  const { body } = await client.placements();
  const entry = body.modules.find((one) => one.module === module);
  if (!entry || entry.instances.some(({ healthy }) => healthy)) return false;
  progress.show(module, 'starting a process');
  await client.services(module, Math.max(1, entry.desired));
  return entry.desired === 0;
}

const INTERRUPTED = 499;

/** Where the ladder is refused, a process that was started for it is ended again; not where another ladder needs it. */
async function begin(client: Client, module: string, wish: Wish, started: boolean): Promise<Answer<Ladder>> {
  try {
    return await client.ask<Ladder>('PUT', pathOf(module), {
      body: wish,
      next: {
        'ladder-running': `npx banyan ladder status ${module}`,
        'ladder-not-needed': `npx banyan restore ${module}`,
      },
    });
  } catch (error) {
    const { status = 500, code } = error instanceof Failure ? error.problem : {};
    const refused = status >= 400 && status < INTERRUPTED && code !== 'ladder-running';
    if (started && refused) await client.services(module, 0).catch(() => {});
    throw error;
  }
}

const LOOK_MS = 500;
const AWAY_MS = 30_000;

/** Until it needs nobody any more, or the person leaves. */
function watch(
  client: Client,
  terminal: Terminal,
  begun: Answer<Ladder>,
  progress: Progress,
  json: boolean,
): Promise<Answer<Ladder>> {
  let before = begun.body;
  return followed(begun, {
    isOver,
    show: (body) => progress.show(body.module, doing(body)),
    async look() {
      const now = await client.ask<Ladder>('GET', pathOf(begun.body.module));
      if (!json && isStep(before, now.body)) progress.above(() => sayStep(now.body, terminal));
      before = now.body;
      return now;
    },
    everyMs: LOOK_MS,
    awayMs: AWAY_MS,
    signal: terminal.interrupted,
  });
}

const isOver = ({ state, waits }: Ladder) =>
  state !== 'running' && !(state === 'paused' && waits === 'person');

/** What is tried on its service comes before what is waited for: it says why that takes so long. */
function doing(body: Ladder): string {
  const { rung, shadow, reason } = body;
  const paused = shadow.paused === undefined ? '' : `paused because ${oneLine(shadow.paused)}`;
  const tried = rung === 'shadow' ? [paused, shadowInWords(shadow)] : [];
  return [headline(body, Date.now()), ...tried, oneLine(reason ?? '')].filter((one) => one !== '').join('; ');
}

function sayBegun({ module, steps, weaker }: Ladder, terminal: Terminal): void {
  const style = styleFor(terminal, terminal.out);
  terminal.out.write(`${style('bold', module)} climbs: ${stepsInWords(steps)}\n`);
  for (const one of weaker.flatMap((all) => wrapped(oneLine(all), 76)))
    terminal.out.write(`  ${style('yellow', one)}\n`);
}

/** What stays on the screen: each change of rung or state. */
function isStep(before: Ladder, now: Ladder): boolean {
  const shape = ({ state, rung, waits }: Ladder) => `${state} ${rung} ${waits}`;
  return shape(before) !== shape(now) && !isOver(now);
}

function sayStep(now: Ladder, terminal: Terminal): void {
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
