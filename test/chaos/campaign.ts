// One chaos run over one log: sales at a steady rate, the faults one after another as the seed orders
// them, the time until the system has recovered from each, and in the end what the sets say.
import { setTimeout as pause } from 'node:timers/promises';
import { openStore, shop } from '../../src/banyan/events/testing/shop.ts';
import { check, type Verdict } from './checker.ts';
import { Crew } from './crew.ts';
import { type Fault, faults, MOVE, type Scene } from './faults.ts';
import { type LogKind, openGround } from './ground.ts';
import { Probe } from './probe.ts';
import { createRandom } from './random.ts';
import { Sales } from './sales.ts';

export interface CampaignOptions {
  readonly log: LogKind;
  readonly events: number;
  /** How often each fault strikes. */
  readonly strikes: number;
  readonly seed: number;
  /** Names of faults, or parts of them; undefined: all of them. */
  readonly only?: readonly string[];
  /** Hosts say on stderr what the library logs. */
  readonly verbose?: boolean;
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface Recovery {
  readonly fault: string;
  /** Milliseconds from each strike to the recovery. */
  readonly times: readonly number[];
}

export interface Outcome extends Verdict {
  readonly events: number;
  readonly seconds: number;
  readonly recoveries: readonly Recovery[];
}

/** Keys are so many that one is seldom sold twice at once, and so few that each has a long history. */
const EVENTS_PER_KEY = 50;
const CALM_RATE = 400;
/** What a strike may sell at most, in shares of what is left: recovery is measured, not how much two cores can do. */
const SHARES = 3;
/** Far beyond any recovery: who waits so long is stuck, also on a machine that does much else. */
const PATIENCE_MS = 300_000;

export async function campaign(options: CampaignOptions): Promise<Outcome> {
  const { log, events, strikes, seed, only, verbose = false, say = () => {}, signal } = options;
  const random = createRandom(seed);
  const chosen = faults(log).filter(({ name }) => !only || only.some((part) => name.includes(part)));
  const deck = random.shuffled(chosen.flatMap((fault) => Array.from({ length: strikes }, () => fault)));
  say(`${log}: ${events} events, seed ${seed}, ${deck.length} strikes in this order:`);
  say(`  ${deck.map((fault) => chosen.indexOf(fault) + 1).join(' ')}`);
  for (const [n, fault] of chosen.entries()) say(`  ${n + 1} = ${fault.name}`);

  const ground = await openGround(log, { moves: chosen.some(({ name }) => name === MOVE) });
  const { databaseUrl, logUrl, brokerUrl } = ground;
  const keys = Math.max(20, Math.ceil(events / EVENTS_PER_KEY));
  const crew = new Crew({ databaseUrl, logUrl, brokerUrl, keys, verbose }, random);
  const store = openStore(shop, ground.databaseUrl, () => {});
  const sales = new Sales(crew, ground, events);
  const probe = new Probe({ store, ground, sales });
  try {
    await crew.start();
    await probe.prepare(PATIENCE_MS, signal);
    const began = Date.now();
    const rate = events / deck.reduce((sum, fault) => sum + fault.takes, 1);
    say(`${log}: everything runs; ${rate.toFixed(0)} sales a second`);
    const times = new Map<Fault, number[]>(chosen.map((fault) => [fault, []]));
    sales.reserve = reserveFor(deck.length);
    sales.start(rate, SHARES * (events / deck.length));
    for (const [n, fault] of deck.entries()) {
      signal?.throwIfAborted();
      await pause(random.between(100, 500));
      const { struck, ms } = await strikeOnce(
        { ground, crew, random, pools: [store.pool] },
        fault,
        probe,
        signal,
      );
      times.get(fault)!.push(ms);
      const left = deck.length - n - 1;
      sales.reserve = reserveFor(left);
      // As the strikes have taken so far, the events last until the last one of them.
      const perStrike = (Date.now() - began) / 1000 / (n + 1);
      const share = (events - sales.reserve - sales.ordered) / left;
      if (left > 0) sales.start(share / perStrike, SHARES * share);
      const elapsed = ((Date.now() - began) / 1000).toFixed(0);
      say(
        `${log} ${elapsed.padStart(4)} s  ${n + 1}/${deck.length}  ${fault.name}: ${struck}, recovered in ${seconds(ms)}; ordered ${sales.ordered}`,
      );
    }
    say(`${log}: the last strike is over; selling the rest`);
    await sales.finish(Math.max(rate, CALM_RATE), () => calm(signal));
    await probe.settled(events, PATIENCE_MS, signal);
    return {
      ...(await check(ground)),
      events: await sales.committed(),
      seconds: (Date.now() - began) / 1000,
      recoveries: [...times].map(([fault, some]) => ({ fault: fault.name, times: some })),
    };
  } finally {
    sales.stop();
    await crew.close();
    await store.close();
    await ground.stop();
  }
}

/** Recovery is counted from the moment of the strike, and a strike is over when its cause is gone as well. */
async function strikeOnce(scene: Scene, fault: Fault, probe: Probe, signal?: AbortSignal) {
  const { struck, over } = await fault.strike(scene);
  const began = Date.now();
  const [ms] = await Promise.all([
    probe.recovered(fault.recoveredBy, PATIENCE_MS, signal).then(() => Date.now() - began),
    over,
  ]);
  await scene.crew.ready();
  return { struck, ms };
}

/** Two rounds of probes for each strike to come. */
function reserveFor(strikes: number): number {
  return strikes * 12 + 12;
}

export async function calm(signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await pause(50);
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
