// The judge of a rung: from what was counted of both sides, one verdict with its reason and its evidence. Good is only
// what every metric of the rung shows to be good, after the least time and the least requests of the policy; a single
// bad one is enough to be bad; everything else is open, and nothing follows from it.
// Pure: it reads no clock, counts nothing and places nothing (account.ts counts, steps.ts says what follows).
import { type Account, frozenOf, type Pair } from './account.ts';
import { alarmOf } from './alarm.ts';
import { type Arm, asBefore, besides, noArm, phiAgainst, type Side, sideOf } from './bursts.ts';
import {
  type Counts,
  type EvidenceRow,
  grouped,
  inWords,
  type Metric,
  type Mostly,
  type TestedMetric,
  type Verdict,
} from './evidence.ts';
import type { Frozen, Judgement } from './judgement.ts';
import { logLikelihoodRatio } from './likelihood.ts';
import { type Policy, percentOf, type Rung } from './rungs.ts';
import { BETA, isKnown, MARGIN, marginFor, tested } from './sequential.ts';

/** All that is known of a rung at one moment. */
export interface Look {
  readonly rung: Rung;
  readonly policy: Policy;
  readonly account: Account;
  /** The near side on the rungs before: what those without a near side are compared with. */
  readonly frozen: Frozen;
  /** Shadows by operation, in total: a defect of a rare one drowns in the sum. */
  readonly operations?: readonly OperationDifferences[];
  /** Processes of the far side that ended without a drain, each in words. */
  readonly restarts?: readonly string[];
  /** So long, until now, the far side has had no healthy process, in seconds. */
  readonly withoutInstance?: number;
  /** Of which operation most of the bad ones were. */
  readonly mostly?: Mostly;
  /** Operations of which shadows say nothing, as there were too few. */
  readonly unjudged?: readonly string[];
  /** Until then no shadow is compared. */
  readonly learning?: Learning | undefined;
  /** The time of the rung is over: it pauses where this look gives no verdict. */
  readonly last?: boolean;
}

/** How far it is known in what the near side differs from itself: so many double reads of so many, of the operation that has most. */
export interface Learning {
  readonly pairs: number;
  readonly of: number;
}

export interface OperationDifferences extends Pair<Counts> {
  readonly operation: string;
  /** What differs, in words: `status 200 against 500`. */
  readonly why: string;
}

/** So long the far side may be without a process, and background work beyond its limit, in seconds. */
const MOST_WITHOUT_INSTANCE = 3;
const MOST_BEHIND = 5;
/** Where the module stays, so many ends of processes within CRASH_SECONDS are no accident; on a rung one is enough. */
const CRASHES = 3;
export const CRASH_SECONDS = 60;

interface Sides extends Pair<Side> {
  /** How dispersed the near side is taken to be where it speaks against the far one. */
  readonly phiAgainst: number;
}

interface Finding extends EvidenceRow {
  readonly why: string;
}

export function judge(look: Look): Judgement {
  const findings = [...happened(look), ...counted(look)];
  const near = frozenOf(look.account, look.frozen);
  const evidence = findings.map(({ why, ...row }) => row);
  const bad = findings.filter(({ verdict }) => verdict === 'bad');
  const told = (verdict: Verdict, reason: string): Judgement => ({ verdict, reason, evidence, near });
  if (bad.length > 0) return told('bad', bad.map(({ why }) => why).join('; '));
  const missing = whatIsMissing(look, findings);
  if (missing.length > 0) return told('open', `waits for ${missing.join(', ')}`);
  const { unjudged = [] } = look;
  const unseen = unjudged.length > 0 ? `; not judged, for want of requests: ${unjudged.join(', ')}` : '';
  return { ...told('good', `${findings.map(({ why }) => why).join('; ')}${unseen}`), unjudged };
}

/**
 * The watch over a module that stays on the far side: what fails at once, and nothing that takes a test, as a test that
 * goes on for ever is wrong some day.
 */
export function watched(
  look: Pick<Look, 'rung' | 'account' | 'frozen' | 'restarts' | 'withoutInstance' | 'mostly'>,
): Judgement | undefined {
  const { rung, account, frozen, restarts = [], withoutInstance: seconds = 0, mostly } = look;
  const alarm = alarmOf(account, frozen.errors ?? unseen, true);
  const found = alarm
    ? { ...alarm, metric: 'errors' as const, why: `${alarm.why}${mostlyOf('errors', { mostly })}` }
    : restarts.length >= CRASHES
      ? restarted(restarts)
      : withoutInstance(seconds);
  if (found === undefined) return undefined;
  const { why, metric, near, far } = found;
  const verdict = 'bad';
  return { verdict, reason: why, evidence: [{ rung, metric, near, far, verdict }], near: {} };
}

/** What was found bad. */
type Fault = Omit<Finding, 'rung' | 'verdict'>;

/** Where every single one is bad. */
const fault = (metric: Metric, n: number, why: string): Fault => ({
  ...{ metric, near: nothing, far: { n, bad: n } },
  why: `${metric}: ${why}`,
});

const restarted = (restarts: readonly string[]): Fault =>
  fault('restarts', restarts.length, restarts.join(', '));

function withoutInstance(seconds: number): Fault | undefined {
  if (seconds < MOST_WITHOUT_INSTANCE) return undefined;
  const whole = Math.floor(seconds);
  return fault('instances', whole, `no process of the service was healthy for ${whole} s`);
}

const nothing: Counts = { n: 0, bad: 0 };

/** What needs no comparison. */
function happened({ rung, account, restarts = [], withoutInstance: seconds = 0 }: Look): Finding[] {
  const finding = (metric: Metric, far: Counts, verdict: Verdict, why: string): Finding[] => [
    { rung, metric, near: nothing, far, verdict, why },
  ];
  const gone = withoutInstance(seconds);
  const behind = (metric: 'lag' | 'outbox', words: string) => {
    const { n, bad, inRow } = account[metric];
    if (n === 0) return [];
    const verdict = inRow >= MOST_BEHIND ? 'bad' : inRow > 0 ? 'open' : 'good';
    const why = verdict === 'good' ? `${metric}: within its limit` : `${metric}: ${words} for ${inRow} s`;
    return finding(metric, { n, bad }, verdict, why);
  };
  return [
    ...(restarts.length > 0 ? [{ ...restarted(restarts), rung, verdict: 'bad' as const }] : []),
    ...(gone === undefined ? [] : [{ ...gone, rung, verdict: 'bad' as const }]),
    ...behind('lag', 'consumers were further behind than they may be'),
    ...behind('outbox', 'events waited in the outbox longer than they may'),
  ];
}

/** What both sides have a rate of. */
function counted(look: Look): Finding[] {
  const { account, policy, frozen, last } = look;
  const findings: Finding[] = [];
  for (const metric of ['errors', 'slow', 'differences', 'attempts'] as const) {
    const { near, far, phiAgainst: phi } = sidesOf(look, metric);
    if (far.n === 0) continue;
    const fine = metric === 'differences' ? marginOfDifferences(near) : MARGIN[metric];
    const coarse = Math.max(fine, marginFor(metric, policy.minRequests));
    const test = tested(near, far, fine, { coarse, phi, last });
    const byChance = test === 'bad' && mayBeChance(account.arms[metric].far, frozen[metric], fine);
    const verdict = byChance ? 'open' : test;
    const found = findingOf(look.rung, metric, near, far, verdict);
    findings.push(verdict === 'bad' ? { ...found, why: `${found.why}${mostlyOf(metric, look)}` } : found);
  }
  const worst = worstOperation(look);
  const alarm = alarmOf(account, sidesOf(look, 'errors').near);
  const others = findings.map((one) =>
    one.metric === 'differences' && worst ? { ...one, verdict: 'bad' as const, why: worst } : one,
  );
  if (!alarm) return others;
  return [
    {
      ...{ rung: look.rung, metric: 'errors' as const, verdict: 'bad' as const, ...alarm },
      why: `${alarm.why}${mostlyOf('errors', look)}`,
    },
    ...others.filter(({ metric }) => metric !== 'errors'),
  ];
}

/**
 * A single burst is no defect: what a test finds bad has to come again, or to go on for ten seconds, and to be more than
 * the near side had before. What cannot wait for that is an alarm.
 */
function mayBeChance(far: Arm, before: Side | undefined, margin: number): boolean {
  const comesAgain = far.badBlocks >= 3 || (far.badSeconds >= 10 && 2 * far.bad >= far.n);
  return (
    !comesAgain || (before !== undefined && before.n > 0 && logLikelihoodRatio(before, far, margin) <= 0)
  );
}

function findingOf(rung: Rung, metric: TestedMetric, near: Counts, far: Counts, verdict: Verdict): Finding {
  const why = `${metric}: ${inWords(far)} against ${inWords(near)}`;
  return { rung, metric, near: plain(near), far: plain(far), verdict, why };
}

function mostlyOf(
  metric: TestedMetric,
  { mostly, operations = [] }: Pick<Look, 'mostly' | 'operations'>,
): string {
  if (metric === 'attempts') return '';
  const [worst] = [...operations].sort((a, b) => b.far.bad - a.far.bad);
  const what = metric === 'differences' ? worst && `${worst.operation}: ${worst.why}` : mostly?.[metric];
  return what === undefined ? '' : `, most of ${what}`;
}

const plain = ({ n, bad }: Counts): Counts => ({ n, bad });

/** Beside each other where both answer, else against the near side as it was. */
function sidesOf({ rung, account, frozen }: Look, metric: TestedMetric): Sides {
  const arms = account.arms[metric];
  const alone = metric === 'attempts' ? rung === 'background' : percentOf(rung) === 100;
  if (alone && metric !== 'differences') {
    const near = frozen[metric] ?? unseen;
    return { near, far: besides(arms.far, near), phiAgainst: near.phi };
  }
  const near = asBefore(sideOf(arms.near), frozen[metric]);
  const far = besides(arms.far, near);
  return { near, far, phiAgainst: phiAgainst(far, near, arms.near) };
}

const unseen: Side = sideOf(noArm);

/** Where the near side differs from itself, finding one part in a hundred more would take days: then twice as much. */
function marginOfDifferences({ n, bad }: Counts): number {
  return Math.min(0.5, Math.max(MARGIN.differences, n === 0 ? 0 : bad / n));
}

/** Each operation may be found bad alone, by a test so strict that all of them together are as right as one. */
function worstOperation({ operations = [], policy }: Look): string | undefined {
  const found = operations.filter(({ near, far }) => {
    const fine = marginOfDifferences(near);
    const coarse = Math.max(fine, marginFor('differences', Math.min(policy.minRequests, 20)));
    return (
      tested({ ...unseen, ...near }, { ...unseen, ...far }, fine, {
        coarse,
        beta: BETA / operations.length,
      }) === 'bad'
    );
  });
  if (found.length === 0) return undefined;
  const shown = found
    .sort((a, b) => b.far.bad / b.far.n - a.far.bad / a.far.n)
    .slice(0, 3)
    .map(({ operation, near, far, why }) => `${operation}: ${why}, ${inWords(far)} against ${inWords(near)}`);
  return `differences: ${shown.join('; ')}`;
}

/** What a good rung still lacks, in words. */
function whatIsMissing(look: Look, findings: readonly Finding[]): string[] {
  const { rung, policy, account, learning } = look;
  const missing: string[] = [];
  const { seconds } = account;
  if (seconds < policy.minSeconds) missing.push(`${grouped(seconds)} of ${grouped(policy.minSeconds)} s`);
  for (const { metric, verdict } of findings)
    if ((metric === 'lag' || metric === 'outbox') && verdict === 'open')
      missing.push(`${metric} within its limit`);
  if (rung === 'background') return missing;
  for (const metric of rung === 'shadow' ? (['differences'] as const) : (['errors', 'slow'] as const)) {
    const finding = findings.find((one) => one.metric === metric);
    const n = finding?.far.n ?? 0;
    if (metric === 'differences' && n === 0 && learning)
      missing.push(
        `${learning.pairs} of ${learning.of} double reads, which show what differs by itself (nothing is compared before)`,
      );
    if (n < policy.minRequests)
      missing.push(`${grouped(n)} of ${grouped(policy.minRequests)} requests (${metric})`);
    else if (finding?.verdict !== 'good') missing.push(`more to tell ${metric}: ${finding?.why}`);
  }
  return [...missing, ...whatTheNextLacks(look)];
}

/** The last rung with a near side is also what the rungs after it are judged by. */
function whatTheNextLacks({ rung, policy, account }: Look): string[] {
  const following = policy.rungs[policy.rungs.indexOf(rung) + 1];
  if (following === undefined || percentOf(rung) === 100 || percentOf(following) < 100) return [];
  return (['errors', 'slow'] as const)
    .filter((metric) => {
      const { near, far } = account.arms[metric];
      return !isKnown(sideOf(near), far, marginFor(metric, policy.minRequests), policy.minRequests);
    })
    .map((metric) => `more requests of the near side, by which ${following} is judged (${metric})`);
}
