// Fifteen minutes of one module, a row a second: enough for a line on a page. A ring of a fixed size.

export const KEPT_SECONDS = 900;
/** Calls a second near and far, p50 and p99 in milliseconds (NaN: none was timed), failed ones a second. */
export type Row = readonly [near: number, far: number, p50: number, p99: number, failed: number];
const WIDTH = 5;

export class Series {
  readonly #at = new Float64Array(KEPT_SECONDS);
  readonly #rows = new Float32Array(KEPT_SECONDS * WIDTH);
  #next = 0;
  #length = 0;

  /** @param at milliseconds since the epoch */
  add(at: number, row: Row): void {
    this.#at[this.#next] = at;
    this.#rows.set(row, this.#next * WIDTH);
    this.#next = (this.#next + 1) % KEPT_SECONDS;
    this.#length = Math.min(KEPT_SECONDS, this.#length + 1);
  }

  /** The newest, oldest first; what was not timed is null. */
  last(seconds: number): { readonly at: number; readonly row: readonly (number | null)[] }[] {
    const count = Math.min(seconds, this.#length);
    return Array.from({ length: count }, (_, index) => {
      const place = (this.#next - count + index + KEPT_SECONDS) % KEPT_SECONDS;
      const row = [...this.#rows.subarray(place * WIDTH, (place + 1) * WIDTH)];
      return {
        at: this.#at[place]!,
        row: row.map((value) => (Number.isNaN(value) ? null : Math.round(value * 100) / 100)),
      };
    });
  }
}
