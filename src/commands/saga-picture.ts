// What the saga commands show, in 80 columns: pure, from the admin answers of orders, and from what of their events was not
// handled: an event that holds a saga is its cause, whoever has not answered.

import {
  adviceOf,
  heldInWords,
  holderOf,
  isForPeople,
  type Unhandled,
} from '../banyan/console/shared/held.ts';
import { type Looks, WIDTH } from '../cli/events-picture.ts';
import { oneLine, shorten } from '../cli/plain.ts';
import type { Style } from '../cli/terminal.ts';
import { lasting, local } from '../cli/times.ts';
import type { SagaOfOrder, SagaOverview, TimelineItem } from '../modules/orders/contract.ts';

const states = ['running', 'waiting', 'compensating', 'stuck'] as const;

export function drawSagas(
  sagas: SagaOverview,
  events: readonly Unhandled[],
  url: string,
  { style, now }: Looks,
): string {
  const { style: inForce, changedAt, changedBy, steps, stuckOrders } = sagas;
  const line = (name: string, counts: readonly (string | number)[]) =>
    `  ${name.padEnd(32)}${counts.map((count) => String(count).padStart(11)).join('')}`;
  const row = (name: string, one: Record<(typeof states)[number], number>) => {
    const text = line(
      name,
      states.map((state) => one[state]),
    );
    return one.stuck > 0 ? style('red', text) : text;
  };
  return [
    '',
    `  ${style('bold', 'Sagas')} of ${url}`,
    shorten(`  Orders are placed by ${inForce}, since ${local(changedAt)} (${oneLine(changedBy)})`, WIDTH),
    '',
    style(
      'dim',
      line(
        'step',
        states.map((state) => (state === 'compensating' ? 'undone' : state)),
      ),
    ),
    ...steps.map((one) => row(`${one.style} ${one.step}`, one)),
    row('all', sagas),
    '',
    ...stuckOrders.flatMap((one) => {
      const holder = holderOf(
        'stuck',
        events.filter(({ key }) => key === one.orderId),
      );
      return [
        style('red', `  ${one.orderId}  stuck in ${one.step} for ${age(one.since, now)}`),
        ...wrapped(oneLine(holder ? heldInWords(holder) : one.why)),
        `    ${style('green', holder ? showing(holder) : one.next)}`,
        '',
      ];
    }),
    ...next(inForce, stuckOrders.length > 0, style),
    '',
  ].join('\n');
}

function next(inForce: string, stuck: boolean, style: Style): string[] {
  const other = inForce === 'choreography' ? 'orchestration' : 'choreography';
  const steps = [
    ...(stuck ? [['npx banyan saga cancel ORDER', 'give one of them up']] : []),
    [`npx banyan saga style ${other}`, 'the same outcome, another way'],
    ['npx banyan saga show ORDER', 'one order, step by step'],
  ] as const;
  const longest = Math.max(...steps.map(([command]) => command!.length));
  return [
    `  ${style('dim', 'Try next')}`,
    ...steps.map(
      ([command, why]) => `    ${style('green', command!.padEnd(longest))}  ${style('dim', why!)}`,
    ),
  ];
}

/** @param events of its key that were not handled; undefined: it is not known. */
export function drawSaga(saga: SagaOfOrder, events: readonly Unhandled[] | undefined, looks: Looks): string {
  const { orderId, style: how, status, state, by, items } = saga;
  const holder = holderOf(state, events ?? []);
  // What a coordinator met is its own trouble, whatever else there is.
  const own = holder && how === 'orchestration' && saga.why ? `; ${saga.why}` : '';
  const why = holder ? `${heldInWords(holder)}${own}` : saga.why;
  const { style } = looks;
  const colour = state === 'stuck' ? 'red' : state === 'finished' ? 'green' : 'yellow';
  const isSaid = (words: string) => why?.includes(words) ?? false;
  return [
    '',
    `  ${style('bold', orderId)}  ${status}, by ${how}, ${style(colour, state)}`,
    '',
    ...drawItems(items, style),
    '',
    ...(why && state !== 'finished' ? [...wrapped(oneLine(why)), ''] : []),
    ...(by && !holder && state === 'stuck' && !isSaid(by) ? [`    It waits for ${by}.`, ''] : []),
    ...(holder ? [...wrapped(adviceOf(how, holder)), ''] : []),
    ...(state === 'stuck' && saga.notCancelled ? [...wrapped(`No cancel: ${saga.notCancelled}`), ''] : []),
    ...helping(saga, holder, events !== undefined).map((line) => `    ${style('green', line)}`),
    '',
  ].join('\n');
}

const showing = ({ id }: Unhandled) => `npx banyan events show ${id}`;

/** The event that holds it, or where to look for one; and what may be done about the saga itself. */
function helping(
  { orderId, style, next, notCancelled }: SagaOfOrder,
  holder: Unhandled | undefined,
  known: boolean,
) {
  const event = holder ? [showing(holder)] : [];
  if (!next) return event;
  const letters = known ? event : [`npx banyan events dead --key ${orderId}`];
  const cancel = notCancelled ? [] : [next.replace('retry', 'cancel')];
  return [
    ...letters,
    ...(holder && isForPeople(holder) && style === 'choreography' ? [] : [next]),
    ...cancel,
  ];
}

const colours = { done: 'green', failed: 'red', stuck: 'red' } as const;

function drawItems(items: readonly TimelineItem[], style: Style): string[] {
  const first = items[0] ? Date.parse(items[0].at) : 0;
  return items.map(({ step, status, where, attempts, at, why }, index) => {
    const ms = Date.parse(at) - first;
    const after = index === 0 ? local(at).slice(11) : `+${ms < 1_000 ? `${ms} ms` : lasting(ms / 1_000)}`;
    const colour = colours[status as keyof typeof colours] ?? 'yellow';
    const words = [...(attempts > 1 ? [`${attempts}x`] : []), ...(why ? [oneLine(why)] : [])];
    const facts = `${after.padStart(9)}  ${step.padEnd(16)} `;
    const place = (where ?? '').padEnd(16);
    const rest = shorten(`${place} ${words.join(' ')}`.trimEnd(), WIDTH - facts.length - 15);
    return `  ${facts}${style(colour, status.padEnd(12))} ${rest}`;
  });
}

/** Indented, broken between words. */
function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1)!.length + word.length > WIDTH - 6) lines.push('');
    lines.push(`${lines.pop()} ${word}`.trimStart());
  }
  return lines.map((line) => `    ${line}`);
}

function age(since: string, now: number): string {
  return lasting(Math.max(0, now - Date.parse(since)) / 1_000);
}
