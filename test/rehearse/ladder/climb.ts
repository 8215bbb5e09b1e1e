// The piece `climb`: a ladder from its first rung to the end, by the command line as a process, under the mix of requests
// that comparisons use (`banyan compare --work mixed`). Nothing is wrong with the service, so nothing may differ, no request
// may fail, and the command has to end with 0.
import { setTimeout as pause } from 'node:timers/promises';
import { drive } from '../../../compare/load/drive.ts';
import { readWorkload } from '../../../compare/workload/read.ts';
import { record } from '../../../compare/workload/record.ts';
import { moduleNames } from '../../../src/banyan/config/environment.ts';
import type { Ladder } from '../../../src/banyan/ladder/desk/contract.ts';
import { shopApp } from '../../../src/shop.ts';
import { launch } from '../../../stage/launch.ts';
import { wrongAtRest } from '../../saga/sums.ts';
import { Findings } from '../share/findings.ts';
import { type ClimbedShop, openClimbedShop } from './climbed-shop.ts';
import { figure, type Outcome, type Play } from './outcome.ts';

export interface ClimbOptions extends Play {
  readonly module: string;
  /** At least; and as many as come until the ladder has ended. */
  readonly requests: number;
  readonly perSecond: number;
  readonly steps: string;
  readonly minSeconds: number;
  readonly minRequests: number;
  readonly seed: number;
}

interface Sample {
  readonly operation: string;
  readonly why: readonly string[];
}

interface Climbing {
  /** As it was seen last. */
  last: Ladder | undefined;
  /** While it was on the rung: the counts begin anew with each placement. */
  readonly shadows: Map<string, Ladder['shadow']>;
  exit: number | string | undefined;
  said: string;
}

/** A stretch of traffic: it ends with its last answer. */
const STRETCH_MS = 5_000;
const LOOK_MS = 500;
const PATIENCE_MS = 120_000;

export async function playClimb(options: ClimbOptions): Promise<Outcome> {
  const { module, steps, say, signal } = options;
  const began = performance.now();
  const percent = Number(steps.split(',').find((step) => step !== 'shadow'));
  say('climb: starting PostgreSQL and a monolith, and registering customers');
  const shop = await openClimbedShop({ module, percent }, signal);
  try {
    const found = new Findings();
    await shop.admin('PUT', `/admin/services/${module}`, { instances: 1 });
    const climbing = await climb(shop, options);
    const traffic = await ask(shop, options, climbing);
    say('climb: waiting until every order is final');
    for (const sentence of await wrongAtRest(shop.databaseUrl, shop.amounts, PATIENCE_MS, signal))
      found.add('afterwards', sentence);
    const { items } = await shop.admin<{ items: Sample[] }>('GET', `/admin/ladders/${module}/samples`);
    judge(options, { ...climbing, samples: items }, traffic, found);
    return {
      piece: 'climb',
      command: commandOf(options),
      seconds: (performance.now() - began) / 1000,
      ...told(shop, options, climbing, traffic),
      wrong: found.sentences(),
    };
  } finally {
    await shop.stop();
  }
}

const commandOf = (options: ClimbOptions) => {
  const { module, requests, perSecond, steps, minSeconds, minRequests, seed } = options;
  const words = { module, requests, 'per-second': perSecond, steps };
  const more = { 'min-seconds': minSeconds, 'min-requests': minRequests, seed };
  const all = Object.entries({ ...words, ...more }).map(([name, value]) => `--${name} ${value}`);
  return `npm run rehearse -- ladder climb ${all.join(' ')}`;
};

/** The command, and its ladder followed until it ends. */
async function climb({ url, adminToken, admin }: ClimbedShop, options: ClimbOptions): Promise<Climbing> {
  const { module, steps, minSeconds, minRequests, say } = options;
  // More writes than a ladder shadows by itself: few of the mix would be compared.
  if (steps.startsWith('shadow'))
    await admin('PUT', `/admin/placements/${module}`, {
      placement: 'shadow',
      mirror: { reads: 100, writes: 100 },
    });
  const climbing: Climbing = { last: undefined, shadows: new Map(), exit: undefined, said: '' };
  const words = ['--steps', steps, '--min-seconds', `${minSeconds}`, '--min-requests', `${minRequests}`];
  const command = launch({
    entry: 'bin/main.ts',
    args: ['ladder', module, ...words, '--max-seconds', '540'],
    env: { BANYAN_URL: url, ADMIN_TOKEN: adminToken },
  });
  void command.ended.then((how) => {
    climbing.exit = how;
    climbing.said = command.output();
  });
  void (async () => {
    let rung: string | null = null;
    while (climbing.exit === undefined) {
      const ladder = await admin<Ladder>('GET', `/admin/ladders/${module}`).catch(() => undefined);
      if (ladder?.rung) {
        climbing.last = ladder;
        climbing.shadows.set(ladder.rung, ladder.shadow);
        if (ladder.rung !== rung) say(`climb: on rung ${ladder.rung}; ${ladder.reason ?? ''}`);
        rung = ladder.rung;
      }
      await pause(LOOK_MS);
    }
    climbing.last = await admin<Ladder>('GET', `/admin/ladders/${module}`).catch(() => climbing.last);
  })();
  return climbing;
}

interface Traffic {
  sent: number;
  failed: number;
  readonly examples: string[];
  readonly kinds: Map<string, number>;
}

async function ask({ url, stock }: ClimbedShop, options: ClimbOptions, climbing: Climbing): Promise<Traffic> {
  const { requests, perSecond, seed, say, signal } = options;
  const workload = readWorkload('mixed', moduleNames(shopApp));
  const traffic: Traffic = { sent: 0, failed: 0, examples: [], kinds: new Map() };
  for (let n = 0; climbing.exit === undefined || traffic.sent < requests; n += 1) {
    signal.throwIfAborted();
    const recorded = record(workload, stock, { perSecond, ms: STRETCH_MS, seed, run: `stretch-${n}` });
    const plan = { url, requests: recorded.requests, connections: 32, timeoutMs: 30_000, files: {} };
    const { failed, examples } = await drive(plan, signal);
    traffic.sent += failed.length;
    traffic.failed += failed.reduce((sum, one) => sum + one, 0);
    traffic.examples.push(...examples);
    for (const { kind } of recorded.requests) traffic.kinds.set(kind, (traffic.kinds.get(kind) ?? 0) + 1);
    if (n % 6 === 5) say(`climb: ${figure(traffic.sent)} requests, ${traffic.failed} failed`);
  }
  return traffic;
}

function judge(
  { steps, module }: ClimbOptions,
  climbing: Climbing & { samples: readonly Sample[] },
  traffic: Traffic,
  found: Findings,
): void {
  const { exit, said, last, shadows, samples } = climbing;
  if (exit !== 0) found.add(`the command ended with ${exit}`, said.trim());
  const end = `${last?.state} ${last?.rung}`;
  if (end !== 'done background') found.add('not at its end', `${module} is ${end}: ${last?.reason}`);
  if (traffic.failed > 0) found.add('requests failed', `${traffic.failed}: ${traffic.examples.join(' | ')}`);
  if (!steps.startsWith('shadow')) return;
  const { mirrored = 0, failed = 0 } = shadows.get('shadow') ?? {};
  if (mirrored === 0) found.add('nothing was compared', 'on the rung shadow');
  if (failed > 0) found.add('shadows failed', `${failed}`);
  for (const [rung, { differed }] of shadows)
    if (differed > 0) found.add('shadows differed', `${differed} on the rung ${rung}`);
  for (const { operation, why } of samples) found.add('a sample', `${operation}: ${why.join(', ')}`);
}

function told(
  { inShare, stock }: ClimbedShop,
  { module, minSeconds, minRequests, perSecond }: ClimbOptions,
  { exit, last, shadows }: Climbing,
  { sent, failed, kinds }: Traffic,
): Pick<Outcome, 'table' | 'notes'> {
  const { mirrored = 0, differed = 0, skipped = 0, failed: broken = 0 } = shadows.get('shadow') ?? {};
  const counts = ({ n, bad }: { n: number; bad: number }) => `${figure(bad)} of ${figure(n)}`;
  return {
    table: [
      ['what', 'count'],
      ['requests of the mix', `${figure(sent)}, of which ${failed} failed`],
      ...[...kinds].map(([kind, n]) => [`of them: ${kind}`, figure(n)] as const),
      [
        'shadows on the rung shadow',
        `${figure(mirrored)}, of which ${differed} differed; ${skipped} skipped, ${broken} failed`,
      ],
      ...(last?.evidence ?? []).map(({ rung, metric, near, far, verdict }) => [
        `rung ${rung}, ${metric}: near, far`,
        `${counts(near)}, ${counts(far)}: ${verdict}`,
      ]),
      ['end of the command', `${exit}`],
    ],
    notes: [
      `${module} climbed ${last?.steps.join(', ')} under ${perSecond} requests a second of the mix; at least ${minSeconds} s and ${minRequests} requests a rung${(last?.weaker ?? []).map((one) => ` (${one})`).join('')}.`,
      `${figure(new Set(stock.customers).size)} customers, of whom ${inShare} in the smallest share, which are drawn for three orders in ten.`,
    ],
  };
}
