// What the events commands show, in 80 columns: pure, from the admin answers.
import type { DeadLetterDetails, EventsOverview } from '../banyan/events/operations/schemas.ts';
import { oneLine, shorten } from './plain.ts';
import type { Style } from './terminal.ts';
import { lasting, plural, thousands } from './times.ts';

export type DeadLetter = Omit<
  DeadLetterDetails,
  'meaning' | 'history' | 'audit' | 'headers' | 'data' | 'text' | 'raw' | 'bytes' | 'alsoIn'
>;

export interface Looks {
  readonly style: Style;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export const WIDTH = 80;

export function drawOverview({ log, modules }: EventsOverview, url: string, { style }: Looks): string {
  const kind = log.kind === 'kafka' ? 'Kafka' : 'the Postgres log';
  const away = log.reachable ? '' : `, ${style('red', 'which does not answer')}`;
  const longest = Math.max(6, ...modules.map(({ module }) => module.length));
  const line = (cells: readonly string[]) => {
    const [module, waiting, relay, behind, trying, dead] = cells as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const sizes = `  ${module.padEnd(longest)}  ${cell(waiting, 13)} ${cell(relay, 18)} ${cell(behind, 14)}`;
    return `${sizes} ${trying.padStart(7)} ${dead.padStart(5)}`;
  };
  const rows = modules.map((one) => {
    const { outbox, relay, lag, deliveries } = one;
    const waiting =
      outbox.waiting === 0 ? '0' : `${thousands(outbox.waiting)}, ${lasting(outbox.oldestSeconds)}`;
    const sends = `${relay.holder ?? 'nobody'} ${rate(relay.perSecond)}`;
    const age = lag?.seconds ? `, ${lasting(lag.seconds)}` : '';
    const behind =
      lag === null
        ? '?'
        : lag.topics.length === 0
          ? '-'
          : `${thousands(lag.events)}${lag.events > 0 ? age : ''}`;
    const { waiting: failing, queued, early, 'unknown-version': newer, dead } = deliveries;
    const text = line([
      one.module,
      waiting,
      sends,
      behind,
      String(failing + queued + early + newer),
      String(dead),
    ]);
    return dead > 0 ? style('red', text) : text;
  });
  return [
    '',
    `  ${style('bold', 'Events')} of ${url} on ${kind}${away}`,
    '',
    style('dim', line(['module', 'in the outbox', 'sent by, a second', 'behind', 'waiting', 'dead'])),
    ...rows,
    '',
    ...(log.reachable
      ? []
      : [style('yellow', '  Until the log is back events wait in the outboxes; none is lost.'), '']),
    ...refused(modules, style),
    ...parked(modules, style),
    ...held(modules, style),
    ...nextOf(modules, style),
    '',
  ].join('\n');
}

const cell = (text: string, width: number) => shorten(text, width).padEnd(width);

/** What the log does not let them do. A monolith of the version before does not tell. */
function refused(modules: EventsOverview['modules'], style: Style): string[] {
  return modules.flatMap(({ module, refused = [] }) =>
    refused.flatMap(({ part, host, reason, remedy }) => [
      style('red', `  Refused: the ${part} of ${module} at ${host}`),
      `    ${oneLine(reason)}`,
      style('dim', `    ${oneLine(remedy)}`),
      '',
    ]),
  );
}

/** Where consumers stand; the same place at several is told once. */
function parked(modules: EventsOverview['modules'], style: Style): string[] {
  const places = Map.groupBy(
    modules.flatMap(({ module, parked }) => parked.map((one) => ({ ...one, module }))),
    ({ topic, partition, offset }) => `${topic}, partition ${partition}, offset ${offset}`,
  );
  return [...places].flatMap(([place, some]) => [
    style('red', `  Parked: ${some.map(({ module }) => module).join(', ')} at ${place}`),
    `    ${oneLine(some[0]!.reason)}`,
    style('dim', `    ${oneLine(some[0]!.remedy)}`),
    '',
  ]);
}

function held(modules: EventsOverview['modules'], style: Style): string[] {
  const some = modules.filter(({ heldKeys }) => heldKeys > 0);
  if (some.length === 0) return [];
  const words = some.map(({ module, heldKeys }) => `${plural(heldKeys, 'key')} of ${module}`).join(', ');
  return [style('yellow', shorten(`  Held until somebody decides: ${words}`, WIDTH)), ''];
}

function nextOf(modules: EventsOverview['modules'], style: Style): string[] {
  const worst = modules.find(({ deliveries }) => deliveries.dead > 0);
  const steps: [command: string, why: string][] = [];
  if (worst) steps.push([`npx banyan events dead ${worst.module}`, 'what failed, and why']);
  steps.push(['npx banyan events tail', 'see them arrive']);
  steps.push(['npx banyan verify', 'lost, doubled, out of order?']);
  const longest = Math.max(...steps.map(([command]) => command.length));
  return [
    `  ${style('dim', 'Try next')}`,
    ...steps.map(([command, why]) => `    ${style('green', command.padEnd(longest))}  ${style('dim', why)}`),
  ];
}

function rate(perSecond: number): string {
  return perSecond >= 100 ? thousands(Math.round(perSecond)) : String(Number(perSecond.toFixed(1)));
}

export function drawDeadLetter(letter: DeadLetter, { style, now }: Looks): string {
  const { module, id, type, key, sequence, state, reason, attempts, holds, behind, since } = letter;
  const age = lasting(Math.max(0, now - Date.parse(since)) / 1000);
  const tried =
    attempts === 0 ? 'never tried' : `failed ${attempts === 1 ? 'once' : `${thousands(attempts)} times`}`;
  const stops = holds ? `, holds its key, ${thousands(behind)} behind it` : '';
  const colour = state === 'dead' ? 'red' : 'yellow';
  return [
    `  ${style('bold', id)}  ${style(colour, state)} at ${style('bold', module)} for ${age}`,
    shorten(`    ${type} #${sequence ?? '?'} of ${key}`, WIDTH),
    shorten(`    ${tried}${stops}`, WIDTH),
    ...(reason ? [style('dim', shorten(`    ${oneLine(reason)}`, WIDTH))] : []),
  ].join('\n');
}
