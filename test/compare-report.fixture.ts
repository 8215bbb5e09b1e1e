// For tests of the report: one comparison as the measuring side writes it, with everything in it and with the least
// in it. The figures are made up, and only here: nothing shows them as measured.
import type {
  Fault,
  Figure,
  Interval,
  Latency,
  Report,
  Side,
  SideMeasured,
  Span,
  Trial,
} from '../compare/format/report.ts';

const MODULES = ['catalog', 'media', 'notifications', 'orders', 'payments', 'users'];
const KINDS = [
  {
    kind: 'product',
    label: 'one product',
    route: 'GET /api/catalog/products/:id',
    share: 0.7,
    needs: ['catalog'],
  },
  {
    kind: 'list',
    label: 'list of products',
    route: 'GET /api/catalog/products',
    share: 0.15,
    needs: ['catalog'],
  },
  {
    kind: 'order',
    label: 'order',
    route: 'POST /api/orders',
    share: 0.1,
    needs: ['orders', 'users', 'catalog'],
  },
  { kind: 'picture', label: 'thumbnail', route: 'GET /api/media/:id', share: 0.05, needs: ['media'] },
];

const interval = (median: number, low: number | null, high: number | null): Interval => ({
  median,
  low,
  high,
  level: 0.95,
  coverage: 0.961,
  pairs: 8,
});

function figure(
  id: string,
  title: string,
  unit: string,
  a: number,
  b: number,
  some: Partial<Figure> = {},
): Figure {
  const ratio = interval(b / a, (b / a) * 0.94, (b / a) * 1.07);
  const apart = ratio.low! > 1 || ratio.high! < 1;
  return {
    id,
    title,
    unit,
    group: 'latency',
    kind: null,
    better: 'lower',
    primary: false,
    a,
    b,
    ratio,
    difference: interval(b - a, (b - a) * 0.9, (b - a) * 1.1),
    p: 0.0078,
    pHolm: null,
    verdict: apart ? (b > a ? 'b-higher' : 'b-lower') : 'no difference found',
    why: null,
    ...some,
  };
}

function latency(kind: string, samples: number, scale: number): Latency {
  const at = (quantile: number) => scale * (1 + 1.4 * (-Math.log10(1 - quantile)) ** 1.4);
  const beyond = (quantile: number) => samples * (1 - quantile) >= 20;
  const quantile = (one: number) => (beyond(one) ? at(one) : null);
  return {
    kind,
    samples,
    failures: 0,
    p50Ms: quantile(0.5),
    p90Ms: quantile(0.9),
    p99Ms: quantile(0.99),
    p999Ms: quantile(0.999),
    maxMs: scale * 14.37,
    curve: [
      ...Array.from({ length: 50 }, (_, step) => 1 - 10 ** (-step / 15))
        .filter(beyond)
        .map((one) => ({ quantile: one, ms: at(one) })),
      { quantile: 1, ms: scale * 14.37 },
    ],
  };
}

function side(which: Side): SideMeasured {
  const far = which === 'b';
  const process = (
    name: string,
    role: 'host' | 'postgres' | 'generator',
    modules: string[],
    cpu: number,
    memory: number,
  ) => ({
    name,
    role,
    modules,
    cpuSecondsPer1000: cpu,
    peakMemoryBytes: memory,
  });
  const hosts = far
    ? [
        process(
          'monolith',
          'host',
          MODULES.filter((one) => one !== 'orders'),
          0.4417,
          171_234_304,
        ),
        process('orders-1', 'host', ['orders'], 0.1689, 118_812_672),
      ]
    : [process('monolith', 'host', MODULES, 0.4123, 183_500_800)];
  return {
    latency: [
      latency('all', 57_600, far ? 2.113 : 1.667),
      latency('product', 40_320, far ? 1.483 : 1.462),
      latency('list', 8_640, far ? 2.061 : 2.034),
      latency('order', 5_760, far ? 8.127 : 6.914),
      latency('picture', 1_180, far ? 1.917 : 1.893),
    ],
    processes: [
      ...hosts,
      process('postgres', 'postgres', [], far ? 0.2291 : 0.2254, 96_468_992),
      process('generator', 'generator', [], 0.1377, 88_080_384),
    ],
    cpuSecondsPer1000: far ? 0.8397 : 0.6377,
    peakMemoryBytes: far ? 386_515_968 : 279_969_792,
    idleCpuSecondsPerMinute: far ? 1.43 : 0.87,
    wire: { callsPerRequest: far ? 0.317 : 0, bytesPerRequest: far ? 613.4 : 0 },
    events: {
      samples: 17_280,
      p50Ms: far ? 11.87 : 9.43,
      p99Ms: far ? 41.71 : 33.29,
      maxMs: far ? 203.7 : 161.2,
      highestLag: far ? 23 : 17,
      paths: [
        { event: 'order-placed', consumer: 'catalog', samples: 5_760, p50Ms: 7.31, p99Ms: 31.9 },
        { event: 'stock-reserved', consumer: 'payments', samples: 5_760, p50Ms: 9.72, p99Ms: null },
      ],
    },
    requests: 57_600,
    failures: far ? 2 : 0,
    failureExamples: far ? ['POST /api/orders: 503 module-unavailable <script>alert(1)</script>'] : [],
  };
}

function fault(
  which: Side,
  kind: Fault['fault'],
  module: string,
  process: string,
  all: number,
  per: number[],
  recovery: number | null,
): Fault {
  return {
    side: which,
    fault: kind,
    module,
    process,
    sharedWith: process === 'monolith' ? MODULES.filter((one) => one !== module) : [],
    holdSeconds: 5,
    windowSeconds: 7.25,
    requests: 870,
    failedShare: all,
    slowedShare: 0.0213,
    recoverySeconds: recovery,
    cells: KINDS.map(({ kind: route }, index) => ({
      kind: route,
      requests: 200 - index * 40,
      failed: Math.round(per[index]! * (200 - index * 40)),
      slowed: 3,
      failedShare: per[index]!,
      slowedShare: 0.0125,
      harmedSeconds: per[index]! > 0 ? 6.1 : 0,
    })),
    timeline: Array.from({ length: 12 }, (_, second) => ({
      atSeconds: second,
      requests: 120,
      failed: second < (recovery ?? 99) ? Math.round(all * 120) : 0,
      slowed: second === 0 ? 4 : 0,
    })),
  };
}

function round(index: number): Trial {
  const which: Side = index % 4 === 0 || index % 4 === 3 ? 'a' : 'b';
  const limited = index === 5;
  return {
    index,
    pair: Math.floor(index / 2),
    side: which,
    startedAt: `2026-11-21T10:0${index % 10}:00.000Z`,
    seconds: 20.02,
    offeredPerSecond: 120,
    achievedPerSecond: 119.7,
    requests: 2400,
    failures: 0,
    p50Ms: 1.71,
    p99Ms: 11.3 + index,
    cpuSecondsPer1000: 0.64 + index / 100,
    memoryBytes: 280_000_000,
    generator: { cpuShare: limited ? 0.97 : 0.21, lateP99Ms: limited ? 41 : 0.31, wasTheLimit: limited },
    foreignCpuShare: 0.034,
    counted: !limited,
    thrownAway: limited ? 'the generator was the limit' : null,
  };
}

const span = (
  id: string,
  parent: string | null,
  name: string,
  process: string,
  role: string,
  startMs: number,
  ms: number,
): Span => ({
  id,
  parent,
  name,
  process,
  role,
  startMs,
  ms,
});

const CHECKOUT_A = [
  span('1', null, 'POST /api/orders', 'monolith', 'server', 0, 6.91),
  span('2', '1', 'orders.place', 'monolith', 'internal', 0.21, 6.48),
  span('3', '2', 'catalog.priceProducts', 'monolith', 'internal', 0.42, 1.31),
  span('4', '1', 'order-placed', 'monolith', 'producer', 7.1, 2.2),
];
const CHECKOUT_B = [
  span('1', null, 'POST /api/orders', 'monolith', 'server', 0, 8.13),
  span('2', '1', 'POST /api/orders', 'orders-1', 'server', 0.64, 7.02),
  span('3', '2', 'orders.place', 'orders-1', 'internal', 0.83, 6.71),
  span('4', '3', 'catalog.priceProducts', 'orders-1', 'client', 1.02, 1.94),
  span('5', '4', 'catalog.priceProducts', 'monolith', 'server', 1.41, 1.17),
  span('6', '3', 'order-placed', 'orders-1', 'producer', 8.4, 2.6),
];

export function fullReport(): Report {
  return {
    format: 'banyan-compare',
    formatVersion: 1,
    finding:
      'Extracting orders costs 1.32x CPU and +1.1 ms at p99 on checkout; when orders dies, 11 % of requests fail instead of 100 %',
    against: {
      a: [
        'When orders is killed, 100 % of requests fail instead of 11 %',
        'A frozen process stops every route for 9.4 s',
      ],
      b: ['1.32x CPU a 1,000 requests (1.24x to 1.41x)', '+1.1 ms at p99 of an order', '107 MB more memory'],
      neither: ['p99 of one product', 'capacity'],
    },
    rough: false,
    self: false,
    mode: 'full',
    startedAt: '2026-11-21T10:00:00.000Z',
    seconds: 1204.7,
    command: 'banyan compare --full --extract orders',
    commit: { hash: '81a879b2f3c4', changed: false },
    versions: { banyan: '0.1.0', node: '24.21.0', postgres: '18.4', broker: null },
    machine: {
      cpu: 'AMD EPYC',
      cores: 2,
      memoryBytes: 25_276_506_112,
      system: 'Linux 6.18',
      load1: 0.12,
      pinning: 'generator on core 1, everything else on all',
    },
    settings: {
      perSecond: 120,
      rateFrom: 'a third of the lower capacity',
      pairs: 8,
      roundSeconds: 20,
      warmUpSeconds: 3,
      log: 'postgres',
      connections: 64,
      poolSize: 5,
    },
    work: {
      name: 'mixed',
      file: null,
      hash: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
      requests: 2400,
      seed: 1,
      skew: 'products by Zipf, exponent 1',
      kinds: KINDS,
    },
    shapes: {
      a: {
        text: 'monolith',
        label: 'monolith',
        modules: MODULES.map((module) => ({ module, placement: 'in-process' as const, instances: 0 })),
        processes: 1,
      },
      b: {
        text: 'services:orders',
        label: 'orders as a service',
        modules: MODULES.map((module) =>
          module === 'orders'
            ? { module, placement: 'service' as const, instances: 1 }
            : { module, placement: 'in-process' as const, instances: 0 },
        ),
        processes: 2,
      },
    },
    answers: { compared: 400, different: 0, statusesCompared: 38_400, statusesDifferent: 0, examples: [] },
    measured: { a: side('a'), b: side('b') },
    figures: [
      figure('cpu-per-1000', 'CPU a 1,000 requests', 's', 0.6377, 0.8397, {
        primary: true,
        group: 'cost',
        pHolm: 0.0312,
      }),
      figure('p50', 'p50', 'ms', 1.667, 2.113, { primary: true, pHolm: 0.0234 }),
      figure('p99', 'p99', 'ms', 10.43, 11.51, { primary: true, pHolm: 0.0156 }),
      figure('capacity', 'capacity', '/s', 431.4, 418.9, {
        primary: true,
        group: 'capacity',
        better: 'higher',
        pHolm: 0.29,
      }),
      figure('p99:order', 'p99, order', 'ms', 43.17, 51.03, { kind: 'order' }),
      figure('p99:product', 'p99, one product', 'ms', 9.127, 9.211, { kind: 'product' }),
      figure('p99:picture', 'p99, thumbnail', 'ms', 0, 0, {
        kind: 'picture',
        a: null,
        b: null,
        ratio: null,
        difference: null,
        p: null,
        verdict: 'n/a',
        why: '1,180 requests, a p99 needs 2,000',
      }),
      figure('memory', 'highest memory', 'bytes', 279_969_792, 386_515_968, { group: 'cost' }),
      figure('wire-bytes', 'bytes between processes a request', 'bytes', 0, 613.4, {
        group: 'wire',
        ratio: null,
        verdict: 'n/a',
        why: 'A has none',
      }),
      figure('events-p99', 'commit to effect, p99', 'ms', 33.29, 41.71, { group: 'events' }),
      figure('kill-to-ready', 'killed to ready', 'ms', 4466, 1231, { group: 'change' }),
    ],
    rounds: Array.from({ length: 16 }, (_, index) => round(index)),
    capacity: {
      p99BoundMs: 50,
      stepSeconds: 6,
      searches: (['a', 'b'] as const).map((which, pair) => ({
        pair: 0,
        side: which,
        perSecond: which === 'a' ? 431.4 : 418.9,
        atLeast: which === 'b',
        steps: [100, 200, 300, 400, 500, 450].map((perSecond) => ({
          perSecond,
          achievedPerSecond: perSecond * 0.998,
          p99Ms: 8.37 + pair + (perSecond / 220) ** 4,
          failures: perSecond > 450 ? 7 : 0,
          ok: perSecond <= 431,
          generatorWasTheLimit: false,
        })),
      })),
    },
    isolation: {
      perSecond: 120,
      faults: [
        fault('a', 'killed', 'orders', 'monolith', 1, [1, 1, 1, 1], 4.5),
        fault('b', 'killed', 'orders', 'orders-1', 0.1103, [0, 0, 1, 0], 1.25),
        fault('b', 'killed', 'gateway', 'monolith', 0.953, [1, 1, 0.53, 1], 4.75),
        fault('a', 'frozen', 'orders', 'monolith', 0.9989, [1, 1, 1, 0.98], 9.4),
        fault('b', 'frozen', 'orders', 'orders-1', 0.0931, [0, 0, 0.87, 0], null),
      ],
      notes: ['Load at 120 requests/s; a process that is frozen is held for 5 s.'],
    },
    flips: [
      {
        module: 'orders',
        to: 'service',
        requests: 1200,
        failures: 0,
        seconds: 1.43,
        p99BeforeMs: 11.2,
        p99DuringMs: 28.9,
        addedP99Ms: 17.7,
      },
    ],
    scaling: {
      module: 'catalog',
      notes: ['Two cores: more processes than cores share them, so this says little.'],
      measured: [
        { instances: 1, perSecond: 402.3, cpuSecondsPer1000: 0.871, predictedPerSecond: 411.7 },
        { instances: 2, perSecond: 447.9, cpuSecondsPer1000: 0.893, predictedPerSecond: 463.1 },
        { instances: 3, perSecond: null, cpuSecondsPer1000: null, predictedPerSecond: 463.1 },
      ],
    },
    model: {
      notes: ['Utilisation law: a core that is busy for the whole second is the end.'],
      demands: [
        { side: 'a', process: 'monolith', role: 'host', demandMs: 0.4123 },
        { side: 'b', process: 'orders-1', role: 'host', demandMs: 0.1689 },
      ],
      predictions: (['a', 'b'] as const).flatMap((which) =>
        [1, 2, 4, 8, 16].map((cores) => ({
          side: which,
          cores,
          perSecond: Math.min(cores * (which === 'a' ? 713.3 : 619.7), which === 'a' ? 2425.4 : 2264.1),
          bottleneck: cores > 3 ? 'monolith' : 'cores',
        })),
      ),
      checks: [
        { side: 'a', what: 'capacity', unit: '/s', predicted: 463.1, measured: 431.4, error: 0.0735 },
        { side: 'b', what: 'capacity', unit: '/s', predicted: 401.2, measured: 418.9, error: -0.0423 },
      ],
    },
    change: {
      a: {
        killToReadyMs: [{ process: 'monolith', ms: 4466 }],
        flipMs: [],
        startMs: 4213,
        deploy: [{ name: 'monolith', bytes: 187_392_113 }],
      },
      b: {
        killToReadyMs: [{ process: 'orders-1', ms: 1231 }],
        flipMs: [{ module: 'orders', to: 'service', ms: 1430 }],
        startMs: 5317,
        deploy: [{ name: 'orders', bytes: 121_739_007 }],
      },
    },
    traces: {
      a: [{ kind: 'order', traceId: 'a'.repeat(32), ms: 6.91, of: 41, spans: CHECKOUT_A }],
      b: [{ kind: 'order', traceId: 'b'.repeat(32), ms: 8.13, of: 43, spans: CHECKOUT_B }],
    },
    thrownAway: [{ what: 'round 6 and its pair', why: 'the generator was the limit' }],
    notes: ['Other work used 3 % of the cores on average.'],
  };
}

/** What --quick --self leaves: few pairs, no bounds, nothing that takes long. */
export function quickReport(): Report {
  const full = fullReport();
  return {
    ...full,
    finding: 'A against A: no difference found (rough: 2 pairs)',
    against: { a: [], b: [], neither: ['CPU a 1,000 requests', 'p50', 'p99', 'commit to effect'] },
    rough: true,
    self: true,
    mode: 'quick',
    seconds: 51.3,
    command: 'banyan compare --quick --self',
    shapes: { a: full.shapes.a, b: full.shapes.a },
    settings: { ...full.settings, pairs: 2 },
    figures: full.figures.slice(0, 3).map((one) => ({
      ...one,
      b: one.a,
      ratio: { ...interval(1.013, null, null), pairs: 2 },
      difference: null,
      p: 1,
      pHolm: 1,
      verdict: 'no difference found' as const,
    })),
    rounds: full.rounds.slice(0, 4),
    capacity: null,
    isolation: null,
    flips: null,
    scaling: null,
    model: null,
    change: null,
    traces: null,
    thrownAway: [],
    notes: [],
  };
}
