// One event in 80 columns: where it is, its data, and what became of it at every consumer.
import type { WholeEvent } from '../banyan/events/operations/schemas.ts';
import type { Looks } from './events-picture.ts';
import { indent, oneLine } from './plain.ts';
import { local } from './times.ts';

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
    ...fact('by hand', event.byHand && `${local(event.byHand.at)} by ${oneLine(event.byHand.by)}`),
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
    ...audit.flatMap(({ at, action, by, why, original, replacement }) => [
      `    ${style('cyan', action)} at ${local(at)} by ${by}${why ? `: ${oneLine(why)}` : ''}`,
      ...(original ? drawValue('before the edit', original, style) : []),
      ...(replacement ? drawValue('after the edit', replacement, style) : []),
    ]),
  ];
}

/** Whole, since nothing else of the terminal shows it: JSON as people read it, anything else as it is. */
function drawValue(what: string, text: string, style: Looks['style']): string[] {
  return [style('dim', `      ${what}:`), ...indent(laidOut(text), 8).map((line) => style('dim', line))];
}

function laidOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
