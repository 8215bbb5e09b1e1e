// Events that repeat themselves: the first of each kind and source in a minute pass, the others are counted, and the
// count is said with the last of them when the minute is over. Guarantees: what an operator was let do always passes; a
// flood from however many sources costs a bounded number of lines and a bounded memory.

interface Told {
  readonly event: string;
  readonly outcome: string;
  readonly actor?: { readonly kind: string; readonly id?: string; readonly name?: string };
  readonly address?: string | undefined;
  readonly target?: string | undefined;
  readonly reason?: string | undefined;
}

/** So many of one event, outcome and source pass in a minute. */
const OF_ONE_SOURCE = 20;
/** So many of one event that was refused, from all sources. */
const OF_ALL_SOURCES = 300;
const WINDOW_MS = 60_000;
/** Beyond these, sources are counted together. */
const SOURCES = 2_000;

interface Count<Event> {
  passed: number;
  leftOut: number;
  last: Event;
}

export class Repeated<Event extends Told> {
  readonly #pass: (event: Event, leftOut: number) => void;
  readonly #counts = new Map<string, Count<Event>>();
  #window: NodeJS.Timeout | undefined;

  constructor(pass: (event: Event, leftOut: number) => void) {
    this.#pass = pass;
  }

  add(event: Event): void {
    if (event.outcome === 'ok' && event.actor?.kind === 'operator') {
      this.#pass(event, 0);
      return;
    }
    this.#window ??= setTimeout(() => this.#over(), WINDOW_MS).unref();
    const kind = `${event.event} ${event.outcome}`;
    // Whoever was let in is told apart by who he is; who was not, by where he comes from.
    const source = event.outcome === 'ok' ? (event.actor?.id ?? event.actor?.name) : event.address;
    const own = this.#count(`${kind} ${source ?? ''} ${event.target ?? ''} ${event.reason ?? ''}`, event);
    const all = event.outcome === 'ok' ? undefined : this.#count(kind, event);
    if (own.passed >= OF_ONE_SOURCE || (all && all.passed >= OF_ALL_SOURCES)) {
      own.leftOut += 1;
      own.last = event;
      return;
    }
    own.passed += 1;
    if (all) all.passed += 1;
    this.#pass(event, 0);
  }

  /** What was left out so far is said. */
  close(): void {
    clearTimeout(this.#window);
    this.#over();
  }

  #count(key: string, event: Event): Count<Event> {
    const known = this.#counts.get(key);
    if (known) return known;
    const rest = this.#counts.size < SOURCES ? key : `${event.event} ${event.outcome} others`;
    const count = this.#counts.get(rest) ?? { passed: 0, leftOut: 0, last: event };
    this.#counts.set(rest, count);
    return count;
  }

  /** A count of its own for each of many sources would be a flood again: the ones that repeated themselves most are named. */
  #over(): void {
    this.#window = undefined;
    const some = [...this.#counts.values()].filter(({ leftOut }) => leftOut > 0);
    this.#counts.clear();
    some.sort((a, b) => b.leftOut - a.leftOut);
    for (const { last, leftOut } of some.slice(0, NAMED)) this.#pass(last, leftOut);
    const rest = new Map<string, Count<Event>>();
    for (const { last, leftOut } of some.slice(NAMED)) {
      const { event, outcome } = last;
      const count = rest.get(`${event} ${outcome}`) ?? {
        passed: 0,
        leftOut: 0,
        last: { event, outcome } as Event,
      };
      count.leftOut += leftOut;
      rest.set(`${event} ${outcome}`, count);
    }
    for (const { last, leftOut } of rest.values()) this.#pass(last, leftOut);
  }
}

const NAMED = 50;
