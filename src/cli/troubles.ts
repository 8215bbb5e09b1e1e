// What `banyan status` says beside where modules serve: events that were not handled and sagas that are stuck, each with the
// command that shows them. Who may not see them, or an older host, is told of the rest; nothing is made up.
import type { EventsOverview } from '../banyan/events/operations/schemas.ts';
import type { Suggestions } from './application.ts';
import type { Client } from './client.ts';
import type { Style } from './terminal.ts';

export interface Trouble {
  readonly colour: 'red' | 'yellow';
  /** `9 dead letters`. */
  readonly words: string;
  readonly command: string;
}

export async function troublesOf({ ask }: Pick<Client, 'ask'>, { sagas }: Suggestions): Promise<Trouble[]> {
  const [events, stuck] = await Promise.all([
    ask<EventsOverview>('GET', '/admin/events').then(
      ({ body }) => body.modules.map(({ deliveries }) => deliveries),
      () => [],
    ),
    sagas === undefined
      ? 0
      : ask<{ stuck: number }>('GET', sagas.path).then(
          ({ body }) => body.stuck,
          () => 0,
        ),
  ]);
  const dead = events.reduce((sum, one) => sum + one.dead, 0);
  const waiting = events.reduce((sum, one) => sum + one.waiting, 0);
  return [
    ...trouble(dead, 'red', `dead letter${dead === 1 ? '' : 's'}`, 'npx banyan events dead'),
    ...trouble(stuck, 'red', `stuck saga${stuck === 1 ? '' : 's'}`, sagas?.command ?? ''),
    ...trouble(
      waiting,
      'yellow',
      `event${waiting === 1 ? '' : 's'} to be tried again`,
      'npx banyan events dead --state waiting',
    ),
  ];
}

function trouble(count: number, colour: Trouble['colour'], what: string, command: string): Trouble[] {
  return count > 0 ? [{ colour, words: `${count} ${what}`, command }] : [];
}

/** A line each, and an empty one behind them. */
export function drawTroubles(troubles: readonly Trouble[], style: Style): string[] {
  if (troubles.length === 0) return [];
  const longest = Math.max(...troubles.map(({ words }) => words.length));
  const lines = troubles.map(
    ({ colour, words, command }) =>
      `  ${style(colour, `! ${words.padEnd(longest)}`)}  ${style('green', command)}`,
  );
  return [...lines, ''];
}
