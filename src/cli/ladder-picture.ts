// What the ladder commands show, in 80 columns: pure, from the admin answers.
import type { Evidence, Ladder, Sample } from '../banyan/ladder/contract.ts';
import { type Looks, WIDTH } from './events-picture.ts';
import { oneLine, shorten, wrapped } from './plain.ts';
import type { Style } from './terminal.ts';
import { lasting, local, thousands } from './times.ts';

/** `shadow`, `10 %`, `background`. */
export const rungInWords = (rung: string): string => (/^\d/.test(rung) ? `${rung} %` : oneLine(rung));

/** `at 10 %`, `in shadow`. */
const placeInWords = (rung: string): string =>
  rung === 'background' ? 'in the background' : rung === 'shadow' ? 'in shadow' : `at ${rungInWords(rung)}`;

export function stepsInWords(steps: readonly string[]): string {
  return steps.map(rungInWords).join(' → ');
}

export function drawLadder(ladder: Ladder, { style, now }: Looks): string {
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
    ...drawShadow(ladder, style),
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
      return `pauses ${at}, for want of ${waits === 'traffic' ? 'traffic' : "a person's word"}`;
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

function drawRung({ rung, state, evidence }: Ladder, step: string, style: Style): string[] {
  const here = step === rung;
  const seen = evidence.filter((one) => one.rung === step);
  const mark = here ? (state === 'demoted' ? '×' : '>') : ' ';
  const name = `${mark} ${rungInWords(step)}`;
  const paint = (line: string, verdict?: Evidence['verdict']) =>
    verdict === 'bad' ? style('red', line) : here ? style('bold', line) : style('dim', line);
  if (seen.length === 0) return [paint(row([name]))];
  return seen.map(({ metric, near, far, verdict }, at) =>
    paint(row([at === 0 ? name : '', oneLine(metric), part(near), part(far), verdict]), verdict),
  );
}

const part = ({ n, bad }: Evidence['near']) => `${thousands(bad)} of ${thousands(n)}`;

function row([rung = '', metric = '', near = '', far = '', verdict = '']: readonly string[]): string {
  return `  ${rung.padEnd(14)} ${metric.padEnd(13)} ${near.padEnd(19)} ${far.padEnd(19)} ${verdict}`.trimEnd();
}

function drawShadow({ shadow: { mirrored, differed, skipped, failed } }: Ladder, style: Style): string[] {
  if (mirrored + skipped + failed === 0) return [];
  const counts = [`${thousands(mirrored)} shadowed`, `${thousands(differed)} differed`];
  if (skipped > 0) counts.push(`${thousands(skipped)} skipped`);
  if (failed > 0) counts.push(`${thousands(failed)} failed`);
  return [`  ${style(differed > 0 ? 'yellow' : 'dim', counts.join(', '))}`];
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
        say('resume', 'wait for traffic anew'),
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
