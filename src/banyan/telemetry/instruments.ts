// What numbers are made of, over one registry: gauges and totals that somebody else keeps, counters and histograms that are
// raised where something happens. Guarantee: what is read for a scrape holds up nothing (reading.ts). It knows no name.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { EDGES } from './edges.ts';
import { inTime, type MetricSample, type ReadSamples } from './reading.ts';

/** By label, the values that it may have; an empty list: they are not known. */
export type LabelValues = Readonly<Record<string, readonly string[]>>;

type Labels = Readonly<Record<string, string>>;

/** Raises a counter, by 1 unless it is said. */
export type Count = (labels?: Labels, by?: number) => void;
/** Notes one value, of seconds unless the name says otherwise. */
export type Observe = (value: number, labels?: Labels) => void;

export interface Instruments {
  /** A gauge whose value is read when somebody asks. Of one name there may be several: their labels differ. */
  gauge(name: string, help: string, labels: readonly string[], read: ReadSamples): void;
  /** A counter that somebody else counts, read when somebody asks; it only grows while the process lives. */
  total(name: string, help: string, labels: readonly string[], read: () => readonly MetricSample[]): void;
  /**
   * A counter. Series whose labels' values are all known begin with 0, so that a rule sees the first failure, too. Of one
   * name there is one, whoever asks for it.
   */
  counter(name: string, help: string, labels?: LabelValues): Count;
  /** How something is distributed. Of one name there is one. Default buckets: those of requests. */
  histogram(name: string, help: string, labels: readonly string[], buckets?: readonly number[]): Observe;
}

export function instrumentsOf(registry: Registry): Instruments {
  const registers = [registry];
  const gauges = new Map<string, ReturnType<typeof inTime>[]>();
  return {
    gauge(name, help, labels, read) {
      const reads = gauges.get(name);
      if (reads) return void reads.push(inTime(read));
      const all = [inTime(read)];
      gauges.set(name, all);
      new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers,
        async collect() {
          const found = await Promise.all(all.map((one) => one()));
          // In one turn, since two may ask at once.
          this.reset();
          // To the library one without labels is then 0: what nobody could read has no value.
          if (labels.length === 0) this.remove();
          for (const { labels: at, value } of found.flat()) this.set(at, value);
        },
      });
    },
    total(name, help, labels, read) {
      new Counter({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect() {
          this.reset();
          for (const { labels: at, value } of read()) this.inc(at, value);
        },
      });
    },
    counter(name, help, labels = {}) {
      const known = registry.getSingleMetric(name) as Counter | undefined;
      const counter = known ?? new Counter({ name, help, labelNames: Object.keys(labels), registers });
      for (const at of combined(labels)) counter.inc(at, 0);
      return (at = {}, by = 1) => counter.inc(at, by);
    },
    histogram(name, help, labels, buckets = EDGES) {
      const known = registry.getSingleMetric(name) as Histogram | undefined;
      const histogram =
        known ?? new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers });
      return (value, at = {}) => histogram.observe(at, value);
    },
  };
}

/** Every combination of the values. */
function combined(labels: LabelValues): Labels[] {
  return Object.entries(labels).reduce<Labels[]>(
    (all, [label, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}
