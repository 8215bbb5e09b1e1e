// One comparison from its options to its report: answers first, on untouched data; then the rate; then trials in the
// order A B B A; then the experiments of the mode. It writes nothing and prints nothing. The report and the command line
// call a trial a round, a topology a shape and a workload a work: those are names that people's scripts read.

import { commitOf, machineOf, versionsOf } from './about.ts';
import { type Answers, compareAnswers } from './answers.ts';
import { runExperiments } from './experiments.ts';
import { figuresOf, pairsOf } from './figures.ts';
import { findingOf } from './finding.ts';
import { type Fixture, withFixture } from './fixture.ts';
import type { Kind, Report, Side } from './format/report.ts';
import type { Planned } from './load/plan.ts';
import { CostWatch } from './measure/cost.ts';
import { type CompareOptions, type Pace, paces, trialMsAt } from './options.ts';
import { CONNECTIONS, probe, rateFor, UTILISATION } from './rate.ts';
import { summarise } from './summary.ts';
import { describeTopology } from './topology/syntax.ts';
import { decidedKind, type Measured, orderOf, runTrial } from './trials.ts';
import { record } from './workload/record.ts';

export interface Compared {
  readonly report: Report;
  /** What was sent, pair by pair. */
  readonly recorded: readonly (readonly Planned[])[];
}

/** What a budget leaves for the end: stopping, writing. */
const SLACK_MS = 4000;

/** Of thrown away trials so many pairs are played again. */
const SPARE_PAIRS = 3;

export function compare(options: CompareOptions): Promise<Compared> {
  const began = performance.now();
  const startedAt = new Date().toISOString();
  return withFixture(options, async (fixture) => {
    const pace = paces[options.mode];
    const machine = machineOf(fixture.pinning);
    options.say('start', 'both shapes, each with a database of its own');
    await fixture.restart();
    const versions = await versionsOf(fixture.instances.a.databaseUrl, options.log);
    const answers = await sameAnswers(fixture);
    const rate = await chooseRate(fixture, pace);
    const idle = options.mode === 'quick' ? { a: null, b: null } : await idleCost(fixture);
    const played = await playPairs(fixture, pace, rate.perSecond, began, answers);
    const kinds = kindsOf(options);
    const names = kinds.map(({ kind }) => kind);
    const of = (side: Side) => played.trials.filter(({ trial }) => trial.side === side && trial.counted);
    const pairs = pairsOf(played.trials);
    const measured = { a: summarise(of('a'), names, idle.a), b: summarise(of('b'), names, idle.b) };
    const experiments = await runExperiments(fixture, played.trials, measured, rate.perSecond);
    const base = {
      format: 'banyan-compare' as const,
      formatVersion: 1 as const,
      rough: options.mode === 'quick',
      self: options.self,
      mode: options.mode,
      startedAt,
      command: options.command,
      commit: commitOf(),
      versions,
      machine,
      settings: {
        perSecond: rate.perSecond,
        rateFrom: rate.from,
        pairs: pairs.length,
        roundSeconds: played.trialMs / 1000,
        warmUpSeconds: played.warmUpMs / 1000,
        log: options.log,
        connections: CONNECTIONS,
        poolSize: 5,
      },
      work: {
        name: options.workload.name,
        file: options.workload.file ?? null,
        hash: played.hash,
        requests: played.recorded.reduce((sum, one) => sum + one.length, 0),
        seed: options.seed,
        skew: `Zipf, exponent ${options.workload.skew ?? 1}`,
        kinds,
      },
      shapes: {
        a: describeTopology(options.a, options.modules),
        b: describeTopology(options.b, options.modules),
      },
      answers,
      measured,
      figures: figuresOf(pairs, names, pace.fresh ? 0 : pace.allowance),
      rounds: played.trials.map(({ trial }, index) => ({ ...trial, index })),
      ...experiments.parts,
      thrownAway: [
        ...thrownAway(played.trials),
        ...experiments.broken,
        ...(played.recorded.length < options.pairs
          ? [
              {
                what: `${options.pairs - played.recorded.length} of ${options.pairs} pairs`,
                why: 'the time was up: the machine was too busy for all of them in a minute',
              },
            ]
          : []),
      ],
      notes: notesOf(options, pace, played.trials, answers),
    };
    const report: Report = { ...base, ...findingOf(base), seconds: (performance.now() - began) / 1000 };
    return { report, recorded: played.recorded };
  });
}

async function sameAnswers({ options, instances, stock, files }: Fixture): Promise<Answers> {
  options.say('answers', 'the same requests to both, what comes back compared');
  const { requests } = record(options.workload, stock, {
    perSecond: 100,
    ms: 600,
    seed: options.seed,
    run: 'answers',
  });
  const known = new Set([...stock.products, ...stock.pictures]);
  const urls = { a: instances.a.url, b: instances.b.url };
  return compareAnswers(urls, requests, known, files, options.signal);
}

async function chooseRate({ options, instances, generator, stock, files }: Fixture, pace: Pace) {
  const { workload, seed, say } = options;
  say('rate', 'what a request costs');
  const ms = pace.fresh ? 3000 : 1200;
  const costs = [];
  for (const one of [instances.a, instances.b])
    costs.push(await probe(one, generator, { workload, stock, files, seed, ms }));
  if (options.perSecond !== undefined) return { perSecond: options.perSecond, from: '--rate' };
  return {
    perSecond: rateFor(Math.max(...costs)),
    from: `${UTILISATION * 100} % of this machine's CPU for the costlier shape`,
  };
}

/** CPU of both while nobody asks, side by side, in one span. */
async function idleCost({ instances, options }: Fixture): Promise<{ a: number; b: number }> {
  options.say('idle', 'what both cost while nobody asks');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const watches = [new CostWatch(instances.a), new CostWatch(instances.b)];
  await new Promise((resolve) => setTimeout(resolve, 4000));
  options.signal.throwIfAborted();
  const [a, b] = watches.map((one) => one.end().cpuSeconds * 15);
  return { a: a!, b: b! };
}

interface Played {
  readonly trials: readonly Measured[];
  readonly recorded: readonly (readonly Planned[])[];
  readonly hash: string;
  readonly trialMs: number;
  readonly warmUpMs: number;
}

async function playPairs(
  fixture: Fixture,
  pace: Pace,
  perSecond: number,
  began: number,
  answers: Answers,
): Promise<Played> {
  const { options, instances, generator, stock, files } = fixture;
  const { say, seed, workload, modules, signal } = options;
  const { trialMs, warmUpMs } = within(pace, perSecond, options.pairs, began);
  const trials: Measured[] = [];
  const recorded: (readonly Planned[])[] = [];
  const hashes: string[] = [];
  let wanted = options.pairs;
  let longestMs = 0;
  for (let pair = 0; pair < wanted; pair++) {
    const pairBegan = performance.now();
    // Under a minute means under a minute, also where the machine is busy; one pair there is always.
    if (pair > 0 && pairBegan - began + longestMs > pace.budgetMs + SLACK_MS) break;
    if (pace.fresh && pair > 0) {
      say('rounds', `pair ${pair + 1} of ${wanted}: new processes`);
      await fixture.restart();
    }
    const ms = warmUpMs + trialMs;
    const recording = record(workload, stock, { perSecond, ms, seed, run: `pair-${pair}` });
    recorded.push(recording.requests);
    hashes.push(recording.hash);
    const two: Measured[] = [];
    for (const side of orderOf(pair)) {
      signal.throwIfAborted();
      say('rounds', `pair ${pair + 1} of ${wanted}: ${options[side].label}`);
      const plan = { pair, recording, warmUpMs, ms, connections: CONNECTIONS, files };
      two.push(await runTrial(instances[side], generator, plan, modules));
    }
    trials.push(...two);
    compareStatuses(two, answers);
    if (two.some(({ trial }) => !trial.counted) && wanted < options.pairs + SPARE_PAIRS) wanted += 1;
    longestMs = Math.max(longestMs, performance.now() - pairBegan);
  }
  const { createHash } = await import('node:crypto');
  return {
    trials,
    recorded,
    hash: createHash('sha256').update(hashes.join('')).digest('hex'),
    trialMs,
    warmUpMs,
  };
}

/** Shorter trials where the time is nearly up: under a minute means under a minute. */
function within(pace: Pace, perSecond: number, pairs: number, began: number) {
  const { warmUpMs, budgetMs } = pace;
  const trialMs = trialMsAt(perSecond, pace);
  const overheadMs = 350;
  const left = (budgetMs - (performance.now() - began)) / (2 * pairs) - overheadMs;
  const share = Math.min(1, Math.max(0.4, left / (trialMs + warmUpMs)));
  return { trialMs: Math.round(trialMs * share), warmUpMs: Math.round(warmUpMs * share) };
}

function compareStatuses([one, other]: readonly Measured[], answers: Answers): void {
  if (!one || !other) return;
  const count = Math.min(one.statuses.length, other.statuses.length);
  answers.statusesCompared += count;
  for (let index = 0; index < count; index++)
    if (one.statuses[index] !== other.statuses[index]) answers.statusesDifferent += 1;
}

function kindsOf({ workload }: CompareOptions): Kind[] {
  const total = Object.values(workload.kinds).reduce((sum, one) => sum + one.share, 0);
  return Object.entries(workload.kinds).flatMap(([kind, one]) => {
    const entry: Kind = {
      kind,
      label: one.label ?? kind,
      route: one.request,
      share: one.share / total,
      needs: [...(one.needs ?? [])],
    };
    if (!one.until) return [entry];
    const { request, field, not } = one.until;
    return [
      entry,
      {
        kind: decidedKind(kind),
        label: `${entry.label}, until decided`,
        route: `${one.request}, then ${request} until ${field} is not ${not}`,
        share: 0,
        needs: entry.needs,
      },
    ];
  });
}

function thrownAway(trials: readonly Measured[]): Report['thrownAway'] {
  return trials.flatMap(({ trial }) =>
    trial.thrownAway === null
      ? []
      : [{ what: `pair ${trial.pair + 1}, round of ${trial.side}`, why: trial.thrownAway }],
  );
}

function notesOf(
  options: CompareOptions,
  pace: Pace,
  trials: readonly Measured[],
  answers: Answers,
): string[] {
  const foreign = trials.flatMap(({ trial }) => trial.foreignCpuShare ?? []).sort((a, b) => a - b);
  const middle = foreign[Math.floor(foreign.length / 2)] ?? 0;
  return [
    ...(options.mode === 'quick'
      ? [
          `Rough: short rounds on processes that were started once, so differences under ${pace.allowance * 100} % count as none (two starts of one shape differ by as much).`,
        ]
      : []),
    ...(options.pairs < 8
      ? [`${options.pairs} pairs cannot show a difference in four figures at once: it takes 8.`]
      : []),
    ...(middle > 0.1
      ? [
          `Other programs used ${Math.round(middle * 100)} % of this machine meanwhile (median over rounds): latencies are worse than they would be.`,
        ]
      : []),
    ...(answers.different + answers.statusesDifferent > 0
      ? ['The two shapes did not always answer the same: see answers.']
      : []),
  ];
}
