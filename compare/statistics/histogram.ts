// Latencies as HDR histograms (3 digits, 1 us to 10 min): merged without loss over trials and kinds, and asked for
// quantiles that say nothing where too few samples lie beyond them. Plain data travels between processes.
import * as hdr from 'hdr-histogram-js';
import type { Quantiles } from '../format/report.ts';

/** A quantile is told only with so many samples beyond it: then it is known within about a fifth. */
export const TAIL_SAMPLES = 20;
/**
 * Of one trial among pairs a quarter is enough: it is never told alone, only the median over the pairs is, and
 * the interval of that is exact however rough each of them is (docs/adr/0140).
 */
export const TAIL_SAMPLES_IN_A_TRIAL = 5;

const LOWEST_US = 1;
const HIGHEST_US = 600_000_000;

export class Latencies {
  readonly #histogram: hdr.Histogram;
  #longestUs: number;

  constructor(histogram?: hdr.Histogram, longestUs = 0) {
    this.#histogram =
      histogram ??
      hdr.build({
        lowestDiscernibleValue: LOWEST_US,
        highestTrackableValue: HIGHEST_US,
        numberOfSignificantValueDigits: 3,
        bitBucketSize: 32,
        autoResize: false,
        useWebAssembly: false,
      });
    this.#longestUs = longestUs;
  }

  record(ms: number): void {
    const us = Math.min(HIGHEST_US, Math.max(LOWEST_US, Math.round(ms * 1000)));
    this.#longestUs = Math.max(this.#longestUs, us);
    this.#histogram.recordValue(us);
  }

  add(other: Latencies): void {
    this.#histogram.add(other.#histogram);
    this.#longestUs = Math.max(this.#longestUs, other.#longestUs);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** In milliseconds; null when fewer samples lie beyond it than asked for (20). */
  quantile(q: number, tailSamples = TAIL_SAMPLES): number | null {
    // 2,000 samples have exactly 20 beyond their 99th percentile; floating point must not say 19.999.
    if (this.count * (1 - q) < tailSamples - 1e-6) return null;
    return this.#histogram.getValueAtPercentile(q * 100) / 1000;
  }

  get maxMs(): number | null {
    return this.count === 0 ? null : this.#longestUs / 1000;
  }

  quantiles(): Quantiles {
    return {
      p50Ms: this.quantile(0.5),
      p90Ms: this.quantile(0.9),
      p99Ms: this.quantile(0.99),
      p999Ms: this.quantile(0.999),
      maxMs: this.maxMs,
    };
  }

  /** Points for a percentile curve, closer together towards the end. */
  curve(): { quantile: number; ms: number }[] {
    const points: { quantile: number; ms: number }[] = [];
    for (const quantile of CURVE) {
      const ms = this.quantile(quantile);
      if (ms !== null) points.push({ quantile, ms });
    }
    if (this.maxMs !== null) points.push({ quantile: 1, ms: this.maxMs });
    return points;
  }

  /** For another process: the maximum, which a histogram rounds, and the compressed form in base64. */
  encode(): string {
    return `${this.#longestUs}:${hdr.encodeIntoCompressedBase64(this.#histogram)}`;
  }

  static decode(text: string): Latencies {
    const [longestUs, packed] = text.split(':') as [string, string];
    return new Latencies(hdr.decodeFromCompressedBase64(packed, 32, false), Number(longestUs));
  }
}

/** 0, 0.05 … 0.5, then ten steps for each nine: 0.9, 0.99, 0.999, 0.9999. */
const CURVE: readonly number[] = [
  ...Array.from({ length: 18 }, (_, i) => (i * 5) / 100),
  ...[1, 2, 3].flatMap((nines) =>
    Array.from({ length: 9 }, (_, i) => Number((1 - 10 ** -nines + i * 10 ** -(nines + 1)).toFixed(6))),
  ),
  0.9999,
];
