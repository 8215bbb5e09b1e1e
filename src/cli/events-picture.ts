// What the events commands show, in 80 columns: pure, from the admin answers.
import type { EventsOverview, WholeEvent, WholeLetter } from '../kernel/events/operations/schemas.ts';
import type { Style } from './terminal.ts';
import { lasting, local, plural, thousands } from './times.ts';

export type Letter = Omit<
  WholeLetter,
  'meaning' | 'history' | 'audit' | 'headers' | 'data' | 'text' | 'raw' | 'bytes' | 'alsoIn'
>;

export interface Looks {
  readonly style: Style;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const WIDTH = 80;

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
    ...held(modules, style),
    ...nextOf(modules, style),
    '',
  ].join('\n');
}

const cell = (text: string, width: number) => shorten(text, width).padEnd(width);

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

export function drawLetter(letter: Letter, { style, now }: Looks): string {
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

export function drawEvent(event: WholeEvent, looks: Looks): string {
  const { style } = looks;
  const { log, place, sentAt } = event;
  const where =
    place === 'outbox'
      ? style('yellow', 'waits in the outbox')
      : log
        ? `partition ${log.partition}, offset ${log.offset}, at ${local(log.at)}`
        : sentAt
          ? `sent at ${local(sentAt)}; not found in the log any more`
          : 'not from an outbox here';
  const fact = (name: string, value: string | null) =>
    value ? [`  ${style('dim', name.padEnd(9))} ${value}`] : [];
  return [
    '',
    `  ${style('bold', event.id)}  ${event.type ?? 'of an unreadable type'}`,
    ...fact('topic', event.topic),
    ...fact('key', `${event.key} #${event.sequence ?? '?'}`),
    ...fact('made', event.time && local(event.time)),
    ...fact('log', where),
    ...fact('began by', event.correlationId === event.id ? null : event.correlationId),
    ...fact('caused by', event.causationId),
    ...fact('trace', event.traceparent?.split('-')[1] ?? null),
    '',
    ...drawContent(event),
    '',
    ...(event.deliveries.length === 0 ? ['  No consumer has it.', ''] : []),
    ...event.deliveries.flatMap((one) => [...drawDelivery(one, looks), '']),
    '',
  ].join('\n');
}

function drawContent({ data, text }: Pick<WholeEvent, 'data' | 'text'>): string[] {
  if (text !== null) return ['  Not JSON:', ...indent(text, 4)];
  if (data === null || data === undefined) return ['  Its data is not kept here any more.'];
  return indent(JSON.stringify(data, null, 2), 2);
}

function drawDelivery(one: WholeEvent['deliveries'][number], { style, now }: Looks): string[] {
  const { module, state, meaning, since, nextAt, history, audit, reason } = one;
  const colour = state === 'done' ? 'green' : state === 'dead' ? 'red' : 'yellow';
  const soon = nextAt ? `, tried again ${Date.parse(nextAt) <= now ? 'now' : `at ${local(nextAt)}`}` : '';
  return [
    `  ${style('bold', module)}  ${style(colour, state)} since ${local(since)}${soon}`,
    style('dim', `    ${meaning}`),
    ...(reason && history.length === 0 && state !== 'dropped' ? indent(reason, 4) : []),
    ...history.flatMap(({ attempt, host, at, error, stack }) => [
      `    ${style('red', `attempt ${attempt}`)} at ${local(at)} on ${host}`,
      ...indent(stack?.includes(error) ? stack : [error, stack].filter(Boolean).join('\n'), 6),
    ]),
    ...audit.flatMap(({ at, action, by, why, original }) => [
      `    ${style('cyan', action)} at ${local(at)} by ${by}${why ? `: ${oneLine(why)}` : ''}`,
      ...(original ? [style('dim', shorten(`      before the edit: ${oneLine(original)}`, WIDTH))] : []),
    ]),
  ];
}

export function shorten(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

/** Nothing that came from outside may move the cursor or break the line. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ').trim();
}

function indent(text: string, columns: number): string[] {
  return printable(text)
    .split('\n')
    .map((line) => `${' '.repeat(columns)}${line}`);
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ');
}
