// Spans of one module, at most so many: the oldest goes when another comes. A module that makes many pushes out its own
// alone.

export class SpanRing<T> {
  readonly #most: number;
  #spans: T[] = [];
  #oldest = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#spans.length;
  }

  add(span: T): void {
    if (this.#spans.length < this.#most) {
      this.#spans.push(span);
      return;
    }
    this.#spans[this.#oldest] = span;
    this.#oldest = (this.#oldest + 1) % this.#most;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let n = 0; n < this.#spans.length; n += 1)
      yield this.#spans[(this.#oldest + n) % this.#spans.length]!;
  }

  /** Takes out those that are not to stay, and answers them. */
  take(isToGo: (span: T) => boolean): T[] {
    const [gone, left]: [T[], T[]] = [[], []];
    for (const span of this) (isToGo(span) ? gone : left).push(span);
    if (gone.length > 0) {
      this.#spans = left;
      this.#oldest = 0;
    }
    return gone;
  }

  clear(): void {
    this.#spans = [];
    this.#oldest = 0;
  }
}
