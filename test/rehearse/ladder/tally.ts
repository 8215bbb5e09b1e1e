// What shadows came to, counted. It judges nothing.
import type { Answer } from '../../shadow/room.ts';
import { figure } from './outcome.ts';
import type { Weather } from './weather.ts';

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/lock/, 'met a lock and gave up'],
  [/timeout|deadline|tried for|canceling|within the time left/i, 'ran out of their budget'],
  [/only tried in this process already/, 'met others that had not ended yet'],
];

const WEATHERS: Readonly<Record<Weather, string>> = {
  calm: 'asked for in calm',
  locked: 'asked for while somebody held locks on all tables of the module',
  hurried: 'asked for with less time than they take',
};

export class Tally {
  asked = 0;
  /** Operations that cannot be shadowed. */
  refused = 0;
  /** How often all rows and files were looked at. */
  looked = 0;
  readonly #kinds = new Map<string, number>();
  readonly #compared = new Map<string, number>();

  count(weather: Weather, { far, near, failed }: Answer): void {
    this.asked += 1;
    this.#add(WEATHERS[weather]);
    const why = failed?.message ?? far?.disturbed;
    if (why === undefined) this.#add('answered');
    else this.#add(reasonOf(why));
    if (near) this.#add('done on the near side as well');
  }

  compare(name: string): void {
    this.#compared.set(name, this.comparedOf(name) + 1);
    this.#add('compared with the near side, in calm');
  }

  comparedOf(name: string): number {
    return this.#compared.get(name) ?? 0;
  }

  rows(): (readonly [string, string])[] {
    return [...this.#kinds].sort().map(([kind, n]) => [kind, figure(n)]);
  }

  #add(kind: string): void {
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }
}

function reasonOf(why: string): string {
  return REASONS.find(([pattern]) => pattern.test(why))?.[1] ?? `gave up: ${why}`;
}
