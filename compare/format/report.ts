// report.json: everything that a comparison measured, of both shapes, with what was thrown away. One schema, from
// which the type comes and the JSON Schema in docs/compare-report.schema.json. What was not asked for is null;
// what could not be measured is null beside a sentence in `why` or `notes`. It knows nothing of how it is shown.
// Units stand in the names: Ms milliseconds, Seconds, Bytes, PerSecond; shares are 0 to 1; times RFC 3339.
import type { Static } from 'typebox';
import { Type } from '../../src/banyan/contract/type.ts';

const text = () => Type.String();
const number = () => Type.Number();
const count = () => Type.Integer({ minimum: 0 });
const share = () => Type.Number({ minimum: 0, maximum: 1 });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const side = () => Type.Union([Type.Literal('a'), Type.Literal('b')]);
const fault = () =>
  Type.Union([
    Type.Literal('killed'),
    Type.Literal('frozen'),
    Type.Literal('cpu-burn'),
    Type.Literal('memory-leak'),
  ]);
const both = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Object({ a: schema, b: schema });

/** Which architecture a side is. */
export const TopologyInfo = Type.Object({
  /** As it was asked for: `services:orders; catalog x2`. */
  text: text(),
  /** For people: `monolith`, `orders as a service`. */
  label: text(),
  modules: Type.Array(
    Type.Object({
      module: text(),
      placement: Type.Union([Type.Literal('in-process'), Type.Literal('service')]),
      /** Processes of its own; 0 in-process. */
      instances: count(),
    }),
  ),
  /** Node processes in all. */
  processes: count(),
});

/** One kind of request in the work. */
export const Kind = Type.Object({
  /** `product`, `order`: the key of every table below. */
  kind: text(),
  label: text(),
  /** `GET /api/catalog/products/:id`. */
  route: text(),
  share: share(),
  /** The modules that this kind cannot do without (empty where the work does not say). */
  needs: Type.Array(text()),
});

const Workload = Type.Object({
  name: text(),
  /** The file given with --work. */
  file: orNull(text()),
  /** SHA-256 of all recorded requests, in order. */
  hash: text(),
  requests: count(),
  seed: Type.Integer(),
  /** How choices among products are made. */
  skew: text(),
  kinds: Type.Array(Kind),
});

/** Whether both sides answered the same: first one after the other and in full, then by status in every round. */
const Answers = Type.Object({
  compared: count(),
  different: count(),
  statusesCompared: count(),
  statusesDifferent: count(),
  examples: Type.Array(Type.Object({ request: text(), a: text(), b: text() })),
});

/** Quantiles that lack 20 samples beyond them are null: n/a. */
export const Quantiles = Type.Object({
  p50Ms: orNull(number()),
  p90Ms: orNull(number()),
  p99Ms: orNull(number()),
  p999Ms: orNull(number()),
  maxMs: orNull(number()),
});

/** Latency of one kind of request on one side; `kind` is `all` for all of them together. */
export const Latency = Type.Object({
  kind: text(),
  samples: count(),
  failures: count(),
  ...Quantiles.properties,
  /** For the percentile curve, ascending; only where there are 20 samples beyond (and the maximum at 1). */
  curve: Type.Array(Type.Object({ quantile: share(), ms: number() })),
});

/** Cost of one process over all rounds that count. */
export const ProcessCost = Type.Object({
  /** `monolith`, `orders-1`, `postgres`, `broker`, `generator`. */
  name: text(),
  role: Type.Union([
    Type.Literal('host'),
    Type.Literal('postgres'),
    Type.Literal('broker'),
    Type.Literal('generator'),
  ]),
  modules: Type.Array(text()),
  cpuSecondsPer1000: number(),
  /** Proportional set size, highest sample; null where the system does not say. */
  peakMemoryBytes: orNull(number()),
});

const Wire = Type.Object({
  /** Requests and calls from one host to another, per request of the work. */
  callsPerRequest: orNull(number()),
  /** Both directions, on the ports between hosts, with what following the placement costs. */
  bytesPerRequest: orNull(number()),
});

const Events = Type.Object({
  samples: count(),
  /** From the publishing transaction to the effect at a consumer. */
  p50Ms: orNull(number()),
  p99Ms: orNull(number()),
  maxMs: orNull(number()),
  /** The most events that a module had not taken yet, at any look. */
  highestLag: orNull(number()),
  /** By type of event and consumer. */
  paths: Type.Array(
    Type.Object({
      event: text(),
      consumer: text(),
      samples: count(),
      p50Ms: orNull(number()),
      p99Ms: orNull(number()),
    }),
  ),
});

/** Everything that was measured of one side in the rounds. */
export const SideMeasured = Type.Object({
  latency: Type.Array(Latency),
  processes: Type.Array(ProcessCost),
  /** All processes but the generator. */
  cpuSecondsPer1000: number(),
  peakMemoryBytes: orNull(number()),
  /** CPU seconds a minute while nobody asks; null when not measured. */
  idleCpuSecondsPerMinute: orNull(number()),
  wire: Wire,
  events: Events,
  requests: count(),
  failures: count(),
  failureExamples: Type.Array(text()),
});

/** A ratio b / a over pairs of rounds: the median, with an interval by order statistics. */
export const Interval = Type.Object({
  median: number(),
  /** Null: too few pairs to bound it at this level. */
  low: orNull(number()),
  high: orNull(number()),
  /** What the interval was made for (0.95, or more after the correction by Holm). */
  level: share(),
  /** What it covers in truth; order statistics come in steps. */
  coverage: share(),
  pairs: count(),
});

/** One figure, compared. `difference` is b - a in the figure's unit. */
export const Figure = Type.Object({
  /** `cpu-per-1000`, `p50`, `p99:order`. */
  id: text(),
  title: text(),
  unit: text(),
  group: Type.Union([
    Type.Literal('latency'),
    Type.Literal('cost'),
    Type.Literal('wire'),
    Type.Literal('events'),
    Type.Literal('capacity'),
    Type.Literal('change'),
  ]),
  /** Set where the figure is of one kind of request. */
  kind: orNull(text()),
  better: Type.Union([Type.Literal('lower'), Type.Literal('higher')]),
  /** One of the four that are corrected for being four; all others are exploratory. */
  primary: Type.Boolean(),
  /** Medians over the rounds. */
  a: orNull(number()),
  b: orNull(number()),
  ratio: orNull(Interval),
  difference: orNull(Interval),
  /** Two-sided sign test; and after Holm, for the primary ones. */
  p: orNull(share()),
  pHolm: orNull(share()),
  /** `b-higher` and `b-lower` only where the interval does not contain 1. */
  verdict: Type.Union([
    Type.Literal('b-higher'),
    Type.Literal('b-lower'),
    Type.Literal('no difference found'),
    Type.Literal('n/a'),
  ]),
  /** Why it is n/a. */
  why: orNull(text()),
});

/** One round of load on one side. */
export const Trial = Type.Object({
  index: count(),
  /** Rounds with the same number are compared with one another. */
  pair: count(),
  side: side(),
  startedAt: text(),
  seconds: number(),
  offeredPerSecond: number(),
  achievedPerSecond: number(),
  requests: count(),
  failures: count(),
  /** Null with fewer than 5 samples beyond it: fewer than of a quantile that is told alone (docs/adr/0140). */
  p50Ms: orNull(number()),
  p99Ms: orNull(number()),
  cpuSecondsPer1000: number(),
  memoryBytes: orNull(number()),
  generator: Type.Object({
    /** Of one core. */
    cpuShare: number(),
    /** How late requests left: the 99th percentile. */
    lateP99Ms: number(),
    wasTheLimit: Type.Boolean(),
  }),
  /** Share of all cores that other processes of this machine used meanwhile; null where it cannot be told. */
  foreignCpuShare: orNull(number()),
  counted: Type.Boolean(),
  /** Why it does not count. */
  thrownAway: orNull(text()),
});

const CapacityStep = Type.Object({
  perSecond: number(),
  achievedPerSecond: number(),
  p99Ms: orNull(number()),
  failures: count(),
  ok: Type.Boolean(),
  generatorWasTheLimit: Type.Boolean(),
});

export const Capacity = Type.Object({
  /** The highest rate at which p99 stays under this and nothing fails. */
  p99BoundMs: number(),
  stepSeconds: number(),
  searches: Type.Array(
    Type.Object({
      pair: count(),
      side: side(),
      perSecond: orNull(number()),
      /** The generator ended the search: the shape can do more. */
      atLeast: Type.Boolean(),
      steps: Type.Array(CapacityStep),
    }),
  ),
});

/** What one fault of one module did to one kind of request. */
export const IsolationCell = Type.Object({
  kind: text(),
  requests: count(),
  failed: count(),
  /** Slower than three times the p99 of the rounds and by 20 ms at least, or than a second. */
  slowed: count(),
  failedShare: share(),
  slowedShare: share(),
  /** Seconds from the first harmed request to the last one. */
  harmedSeconds: number(),
});

export const Fault = Type.Object({
  side: side(),
  fault: fault(),
  /** A module, or `gateway` (the public port). */
  module: text(),
  /** The process that was hit: `monolith`, `orders-1`. */
  process: text(),
  /** On the monolith one process is every module: the same run stands for them all. */
  sharedWith: Type.Array(text()),
  holdSeconds: number(),
  /** The window that shares are counted in: from the fault until all was well, at least `holdSeconds`. */
  windowSeconds: number(),
  requests: count(),
  failedShare: share(),
  slowedShare: share(),
  /** From the fault to the first second in which nothing fails or is slow; null: not within the watch. */
  recoverySeconds: orNull(number()),
  cells: Type.Array(IsolationCell),
  /** By time since the fault. */
  timeline: Type.Array(
    Type.Object({ atSeconds: number(), requests: count(), failed: count(), slowed: count() }),
  ),
});

export const Isolation = Type.Object({
  perSecond: number(),
  faults: Type.Array(Fault),
  notes: Type.Array(text()),
});

/** A module moved while the load ran. */
export const Flip = Type.Object({
  module: text(),
  to: Type.Union([Type.Literal('service'), Type.Literal('in-process')]),
  requests: count(),
  failures: count(),
  seconds: number(),
  p99BeforeMs: orNull(number()),
  p99DuringMs: orNull(number()),
  addedP99Ms: orNull(number()),
});

export const Scaling = Type.Object({
  /** The module that was run in 1, 2, 3 processes. */
  module: text(),
  notes: Type.Array(text()),
  measured: Type.Array(
    Type.Object({
      instances: count(),
      perSecond: orNull(number()),
      cpuSecondsPer1000: orNull(number()),
      /** What the model says for this many instances on this machine. */
      predictedPerSecond: orNull(number()),
    }),
  ),
});

/** The utilisation law: a request's service demand at each process, and what follows from it. */
export const Model = Type.Object({
  notes: Type.Array(text()),
  demands: Type.Array(
    Type.Object({
      side: side(),
      process: text(),
      role: text(),
      /** CPU milliseconds per request of the work. */
      demandMs: number(),
    }),
  ),
  /** Highest rate and mean latency that the model predicts for N cores. */
  predictions: Type.Array(
    Type.Object({
      side: side(),
      cores: count(),
      perSecond: number(),
      /** What runs out first: `cores`, or a process that runs on one. */
      bottleneck: text(),
    }),
  ),
  /** The model against what was measured here. */
  checks: Type.Array(
    Type.Object({
      side: side(),
      what: text(),
      unit: text(),
      predicted: number(),
      measured: number(),
      /** predicted / measured - 1. */
      error: number(),
    }),
  ),
});

export const Change = Type.Object({
  /** From SIGKILL of the process until a request of the module is answered again. */
  killToReadyMs: Type.Array(Type.Object({ process: text(), ms: number() })),
  /** From the command to the last host's acknowledgement. */
  flipMs: Type.Array(Type.Object({ module: text(), to: text(), ms: number() })),
  startMs: orNull(number()),
  /** Code and dependencies of what is deployed, uncompressed. */
  deploy: Type.Array(Type.Object({ name: text(), bytes: number() })),
});

export const Span = Type.Object({
  id: text(),
  parent: orNull(text()),
  name: text(),
  /** The process that it ran in. */
  process: text(),
  /** server, client, internal, producer, consumer. */
  role: text(),
  /** From the start of the trace. */
  startMs: number(),
  ms: number(),
});

/** One real request, the one with the median duration of those traced. */
export const Trace = Type.Object({
  kind: text(),
  traceId: text(),
  ms: number(),
  /** How many were traced to choose from. */
  of: count(),
  /** In the order of their start, parents before children. */
  spans: Type.Array(Span),
});

export const Report = Type.Object({
  format: Type.Literal('banyan-compare'),
  /** Grows when a field changes its meaning or goes; new fields alone do not change it. */
  formatVersion: Type.Literal(1),
  /** The first line of every report, without an end of line. */
  finding: text(),
  /** The same in parts, in the same size: what speaks against b, what against a, what could not be told apart. */
  against: Type.Object({ a: Type.Array(text()), b: Type.Array(text()), neither: Type.Array(text()) }),
  /** Made with --quick: good for a look, not for a decision. */
  rough: Type.Boolean(),
  self: Type.Boolean(),
  mode: Type.Union([Type.Literal('quick'), Type.Literal('default'), Type.Literal('full')]),
  startedAt: text(),
  seconds: number(),
  command: text(),
  commit: Type.Object({ hash: orNull(text()), changed: orNull(Type.Boolean()) }),
  versions: Type.Object({
    banyan: text(),
    node: text(),
    postgres: text(),
    broker: orNull(text()),
  }),
  machine: Type.Object({
    cpu: text(),
    cores: count(),
    memoryBytes: number(),
    system: text(),
    load1: number(),
    /** Where the generator and the hosts were allowed to run, in words. */
    pinning: text(),
  }),
  settings: Type.Object({
    perSecond: number(),
    /** How the rate was chosen. */
    rateFrom: text(),
    pairs: count(),
    roundSeconds: number(),
    warmUpSeconds: number(),
    log: Type.Union([Type.Literal('postgres'), Type.Literal('kafka')]),
    connections: count(),
    poolSize: count(),
  }),
  work: Workload,
  shapes: both(TopologyInfo),
  answers: Answers,
  measured: both(SideMeasured),
  /** The four primary ones first. */
  figures: Type.Array(Figure),
  rounds: Type.Array(Trial),
  capacity: orNull(Capacity),
  isolation: orNull(Isolation),
  flips: orNull(Type.Array(Flip)),
  scaling: orNull(Scaling),
  model: orNull(Model),
  change: orNull(both(Change)),
  traces: orNull(both(Type.Array(Trace))),
  /** What was left out of the figures, and what went wrong on the way. */
  thrownAway: Type.Array(Type.Object({ what: text(), why: text() })),
  notes: Type.Array(text()),
});

export type Report = Static<typeof Report>;
export type TopologyInfo = Static<typeof TopologyInfo>;
export type Kind = Static<typeof Kind>;
export type Latency = Static<typeof Latency>;
export type Quantiles = Static<typeof Quantiles>;
export type ProcessCost = Static<typeof ProcessCost>;
export type SideMeasured = Static<typeof SideMeasured>;
export type Interval = Static<typeof Interval>;
export type Figure = Static<typeof Figure>;
export type Trial = Static<typeof Trial>;
export type Capacity = Static<typeof Capacity>;
export type Fault = Static<typeof Fault>;
export type IsolationCell = Static<typeof IsolationCell>;
export type Isolation = Static<typeof Isolation>;
export type Flip = Static<typeof Flip>;
export type Scaling = Static<typeof Scaling>;
export type Model = Static<typeof Model>;
export type Change = Static<typeof Change>;
export type Trace = Static<typeof Trace>;
export type Span = Static<typeof Span>;
export type Side = 'a' | 'b';
