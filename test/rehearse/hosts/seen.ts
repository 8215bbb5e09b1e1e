// What customers saw of every request: when it was asked, how long it took, and why it was not answered well. Figures of a fault
// are made of it. Pure: whoever has the clock says the times, in milliseconds of one clock.

export interface Seen {
  readonly began: number;
  readonly ended: number;
  /** `GET /api/orders` */
  readonly what: string;
  /** Undefined: it was answered well. */
  readonly failure?: string | undefined;
}

/** When a fault began, when it was taken away, and until when customers were watched. */
export interface Span {
  readonly from: number;
  readonly struck: number;
  readonly mended: number;
  readonly until: number;
}

export interface Figures {
  readonly requests: number;
  readonly failed: number;
  /** The longest that one request took, answered or not. */
  readonly longestMs: number;
  /** The longest time in which nobody was answered well. */
  readonly gapMs: number;
  /** From the fault until the last request ended that failed or was slow while it lasted. */
  readonly feltS: number;
  /** From its end until the last one that failed or was slow. */
  readonly recoveryS: number;
  /** What was said instead of an answer, the most frequent first. */
  readonly said: readonly { readonly what: string; readonly times: number }[];
  /** The longest of those that failed or were slow, with when each was asked: so long after the fault began. */
  readonly worst: readonly {
    readonly what: string;
    readonly afterS: number;
    readonly tookS: number;
    readonly failure: string | undefined;
  }[];
}

/** A customer notices. */
const SLOW_MS = 2_000;
const WORST = 12;

const isBad = ({ began, ended, failure }: Seen) => failure !== undefined || ended - began > SLOW_MS;

export function figuresOf(all: readonly Seen[], { from, struck, mended, until }: Span): Figures {
  const seen = all.filter(({ began, ended }) => ended >= from && began <= until);
  const failed = seen.flatMap(({ what, failure }) => (failure === undefined ? [] : `${what}: ${failure}`));
  const bad = seen.filter(isBad);
  const lastOf = (some: readonly Seen[], since: number) =>
    Math.max(0, ...some.map(({ ended }) => ended - since)) / 1_000;
  return {
    requests: seen.length,
    failed: failed.length,
    longestMs: Math.max(0, ...seen.map(({ began, ended }) => ended - began)),
    gapMs: gapOf(seen, from, until),
    feltS: lastOf(
      bad.filter(({ ended }) => ended >= struck && ended < mended),
      struck,
    ),
    recoveryS: lastOf(
      bad.filter(({ ended }) => ended >= mended),
      mended,
    ),
    said: counted(failed),
    worst: bad
      .map(({ what, began, ended, failure }) => ({
        ...{ what, afterS: (began - struck) / 1_000, tookS: (ended - began) / 1_000, failure },
      }))
      .sort((a, b) => b.tookS - a.tookS)
      .slice(0, WORST),
  };
}

/** Whether all that was asked since then was answered well, and something was. */
export function isCalm(all: readonly Seen[], since: number): boolean {
  const seen = all.filter(({ ended }) => ended >= since);
  return seen.length > 0 && !seen.some(isBad);
}

function gapOf(seen: readonly Seen[], from: number, until: number): number {
  const ends = seen
    .filter(({ failure, ended }) => failure === undefined && ended >= from && ended <= until)
    .map(({ ended }) => ended);
  const all = [from, ...ends.sort((a, b) => a - b), until];
  return Math.max(...all.slice(1).map((at, n) => at - all[n]!));
}

function counted(failed: readonly string[]): Figures['said'] {
  return [...Map.groupBy(failed, (what) => what)]
    .map(([what, times]) => ({ what, times: times.length }))
    .sort((a, b) => b.times - a.times);
}
