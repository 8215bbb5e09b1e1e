// What the ladder commands show, in 80 columns: pure, from the admin answers.
import type { Evidence, Ladder, Sample } from '../banyan/ladder/desk/contract.ts';
import { type Looks, WIDTH } from './events-picture.ts';
import { metricInWords } from './evidence-picture.ts';
import { oneLine, shorten, wrapped } from './plain.ts';
import type { Style } from './terminal.ts';
import { lasting, local, thousands } from './times.ts';

/** `shadow`, `10 %`, `background`. */
export const rungInWords = (rung: string): string => (/^\d/.test(rung) ? `${rung} %` : oneLine(rung));

/** `at 10 %`, `in shadow`. */
export const placeInWords = (rung: string): string =>
  rung === 'background'
    ? 'with background work'
    : rung === 'shadow'
      ? 'in shadow'
      : `at ${rungInWords(rung)}`;

export function stepsInWords(steps: readonly string[]): string {
  return steps.map(rungInWords).join(' → ');
}

/** @param mirrorPaused why its shadows pause at the moment */
export function drawLadder(ladder: Ladder, { style, now }: Looks, mirrorPaused?: string): string {
  const { module, state, steps, reason, weaker, startedAt, startedBy } = ladder;
  if (state === 'none')
    return [
      '',
      `  ${style('bold', module)} was never on a ladder.`,
      '',
      ...drawNext([[`npx banyan ladder ${module}`, 'up to its service, on evidence']], style),
      '',
      '',
    ].join('\n');
  const begun = `begun ${local(startedAt!)} by ${oneLine(startedBy!)}`;
  return [
    '',
    `  ${style('bold', module)} ${style(colours[state], headline(ladder, now))}`,
    `  ${style('dim', shorten(begun, WIDTH - 2))}`,
    '',
    style('dim', row(['  rung', 'counted', 'monolith', 'service', 'verdict'])),
    ...steps.flatMap((step) => drawRung(ladder, step, style)),
    '',
    ...wrapped(oneLine(reason ?? ''), WIDTH - 4).map((line) => `  ${line}`),
    ...weaker.flatMap((one) => wrapped(oneLine(one), WIDTH - 4).map((line) => `  ${style('yellow', line)}`)),
    ...drawPaused(mirrorPaused ?? ladder.shadow.paused, style),
    ...drawShadow(ladder, style),
    ...drawUnjudged(ladder, style),
    '',
    ...drawNext(nextSteps(ladder), style),
    '',
    '',
  ].join('\n');
}

/** `climbs, at 10 % for 42 s`. */
export function headline({ state, rung, rungSince, waits, watched }: Ladder, now: number): string {
  const at = rung === null ? '' : placeInWords(rung);
  const since = rungSince === null ? '' : ` for ${lasting(Math.max(0, now - Date.parse(rungSince)) / 1000)}`;
  switch (state) {
    case 'none':
      return 'is on no ladder';
    case 'running':
      return waits === 'confirmation'
        ? `is good ${at}, and waits for a person${since}`
        : `climbs, ${at}${since}`;
    case 'paused':
      return `pauses ${at}, ${waits === 'traffic' ? 'for want of traffic' : 'until somebody resumes it'}`;
    case 'done':
      return `is up, ${at}${watched ? ', and watched' : ''}`;
    case 'demoted':
      return `came down from ${rungInWords(rung ?? '')}`;
    case 'stopped':
      return `was stopped ${at}`;
  }
}

const colours = {
  none: 'dim',
  running: 'cyan',
  paused: 'yellow',
  done: 'green',
  demoted: 'red',
  stopped: 'yellow',
} as const;

function drawRung(ladder: Ladder, step: string, style: Style): string[] {
  const { rung, state, evidence, promoted = [] } = ladder;
  const here = step === rung;
  const seen = evidence.filter((one) => one.rung === step);
  const mark = here ? (state === 'demoted' ? '×' : '>') : ' ';
  const name = `${mark} ${rungInWords(step)}`;
  const paint = (line: string, verdict?: Evidence['verdict']) =>
    verdict === 'bad' ? style('red', line) : here ? style('bold', line) : style('dim', line);
  const byHand = promoted
    .filter((one) => one.rung === step)
    .flatMap(({ reason }) => wrapped(`left by hand: ${oneLine(reason)}`, WIDTH - NAME))
    .map((line) => `${' '.repeat(NAME)}${style('yellow', line)}`);
  if (seen.length === 0) return [paint(row([name])), ...byHand];
  const rows = seen.map(({ metric, verdict, ...sides }, at) =>
    paint(row([at === 0 ? name : '', oneLine(metric), ...metricInWords(metric, sides), verdict]), verdict),
  );
  return [...rows, ...byHand];
}

/** Where the column behind the name of a rung begins. */
const NAME = 17;

function row([rung = '', metric = '', near = '', far = '', verdict = '']: readonly string[]): string {
  return `  ${rung.padEnd(14)} ${metric.padEnd(13)} ${near.padEnd(19)} ${far.padEnd(19)} ${verdict}`.trimEnd();
}

function drawPaused(why: string | undefined, style: Style): string[] {
  if (why === undefined) return [];
  return wrapped(`! its shadows pause: ${oneLine(why)}`, WIDTH - 4).map(
    (line) => `  ${style('yellow', line)}`,
  );
}

function drawShadow({ shadow }: Ladder, style: Style): string[] {
  const lines = wrapped(shadowInWords(shadow), WIDTH - 4);
  return lines.map((line) => `  ${style(shadow.differed > 0 ? 'yellow' : 'dim', line)}`);
}

/** `24 shadowed, 0 differed, 1,286 skipped (1,262 host busy, 24 budget reached)`; nothing where nothing was tried. */
export function shadowInWords({ mirrored, differed, skipped, failed, skips = {} }: Ladder['shadow']): string {
  if (mirrored + skipped + failed === 0) return '';
  const counts = [`${thousands(mirrored)} shadowed`, `${thousands(differed)} differed`];
  const whys = Object.entries(skips).sort(([, a], [, b]) => b - a);
  const why = whys.map(([name, n]) => `${thousands(n)} ${whysOfSkips[name] ?? oneLine(name)}`).join(', ');
  if (skipped > 0) counts.push(`${thousands(skipped)} skipped${why === '' ? '' : ` (${why})`}`);
  if (failed > 0) counts.push(`${thousands(failed)} failed`);
  return counts.join(', ');
}

const whysOfSkips: Readonly<Record<string, string>> = {
  busy: 'host busy',
  paused: 'paused',
  'no-process': 'no healthy process',
  'budget-reached': 'budget reached',
  unclear: 'no clear answer',
};

/** A monolith of the version before does not say. */
function drawUnjudged({ unjudged = [] }: Partial<Ladder>, style: Style): string[] {
  if (unjudged.length === 0) return [];
  const words = `not judged in shadow, for want of requests: ${unjudged.map(oneLine).join(', ')}`;
  return wrapped(words, WIDTH - 4).map((line) => `  ${style('yellow', line)}`);
}

type Next = readonly [command: string, why: string];

function nextSteps({ module, state, waits, shadow }: Ladder): Next[] {
  const say = (what: string, why: string): Next => [`npx banyan ladder ${what} ${module}`, why];
  const samples = shadow.differed > 0 ? [say('samples', 'what differed')] : [];
  switch (state) {
    case 'running':
      return [
        ...(waits === 'confirmation' ? [say('promote', 'the next rung')] : []),
        say('pause', 'climb no further for now'),
        say('demote', 'back into the monolith, at once'),
        ...samples,
      ];
    case 'paused':
      return [
        say('resume', waits === 'traffic' ? 'go on, and wait as long again' : 'go on climbing'),
        say('promote', 'the next rung, whatever the evidence'),
        say('demote', 'back into the monolith'),
        ...samples,
      ];
    case 'demoted':
      return [
        ...samples,
        [`npx banyan logs ${module}`, 'what its processes say'],
        [`npx banyan ladder ${module}`, 'up again, once it is mended'],
      ];
    case 'done':
      return [
        say('demote', 'back into the monolith, at once'),
        ['npx banyan status', 'where everything serves'],
      ];
    default:
      return [
        [`npx banyan ladder ${module}`, 'up again'],
        ['npx banyan status', 'where everything serves'],
      ];
  }
}

function drawNext(steps: readonly Next[], style: Style): string[] {
  const longest = Math.max(...steps.map(([command]) => command.length));
  return [
    `  ${style('dim', 'Try next')}`,
    ...steps.map(([command, why]) => `    ${style('green', command.padEnd(longest))}  ${style('dim', why)}`),
  ];
}

export function drawSamples(module: string, samples: readonly Sample[], { style }: Looks): string {
  if (samples.length === 0)
    return `There are no samples of ${module}: of the answers that shadows compared none differed.\n`;
  return `\n${samples.map((one) => drawSample(one, style)).join('\n\n')}\n\n`;
}

function drawSample({ operation, at, why, near, far }: Sample, style: Style): string {
  const side = (name: string, value: unknown) =>
    wrapped(oneLine(JSON.stringify(value)), WIDTH - 14)
      .slice(0, 6)
      .map((line, index) => `    ${(index === 0 ? name : '').padEnd(9)} ${line}`);
  return [
    `  ${style('bold', oneLine(operation))}  ${style('dim', local(at))}`,
    ...why.flatMap((one) => wrapped(oneLine(one), WIDTH - 4)).map((line) => `    ${style('yellow', line)}`),
    ...side('monolith', near),
    ...side('service', far),
  ].join('\n');
}
