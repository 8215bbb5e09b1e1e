// Which shares of a module could be in force while a request was under way. A change holds from when it was asked for
// at the earliest, and those before it until it was acknowledged by every host at the latest. Pure: whoever has the
// clock says the time.

interface Change {
  readonly percent: number;
  readonly from: number;
  until: number;
}

export class Timeline {
  /** Those that a request still under way may have met. */
  #changes: Change[];

  constructor(percent: number, at: number) {
    this.#changes = [{ percent, from: at, until: Number.POSITIVE_INFINITY }];
  }

  /** The last that was asked for. */
  get percent(): number {
    return this.#changes.at(-1)!.percent;
  }

  /** Asked for; `acknowledged` says when every host decides by it. Never called: those before it may hold on. */
  change(percent: number, at: number): { acknowledged(at: number): void } {
    const earlier = [...this.#changes];
    this.#changes.push({ percent, from: at, until: Number.POSITIVE_INFINITY });
    return {
      acknowledged: (when) => {
        for (const one of earlier) one.until = Math.min(one.until, when);
      },
    };
  }

  /** Of a request that began and ended then. Asked in any order, as requests end. */
  during(began: number, ended: number): Set<number> {
    return new Set(
      this.#changes
        .filter(({ from, until }) => from <= ended && until >= began)
        .map(({ percent }) => percent),
    );
  }

  /** No request that began before is under way any more. */
  forget(before: number): void {
    this.#changes = this.#changes.filter(({ until }) => until >= before);
  }
}
