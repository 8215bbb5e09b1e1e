// The judge at work: while a ladder is watched, one monitored second after the other is counted, judged, and acted upon.
// Guarantees: it judges what it holds the lease of and nothing else; nobody waits for it; while nothing is watched it asks
// the database one small question every three seconds and no host anything; what it cannot see it does not judge.
// What is good or bad is judge.ts's, what follows steps.ts's; it stores, and does what they say.
import type { Logger } from 'pino';
import { Rounds } from '../jobs/rounds.ts';
import type { Follower } from '../placement/follower.ts';
import type { ControlStore } from '../placement/store.ts';
import type { Moves } from './climb/moves.ts';
import type { LadderRow, LadderRows } from './climb/rows.ts';
import { type BackgroundSeconds, Sighting } from './climb/sighting.ts';
import { isOpen, next } from './climb/steps.ts';
import type { HostReading } from './judge/arms.ts';
import type { AttemptsReading } from './judge/attempts.ts';
import { CRASH_SECONDS } from './judge/judge.ts';
import type { Shadowing } from './judge/shadowing.ts';
import type { Announcer } from './notices/announcer.ts';

export interface WatchOptions {
  /** This host in the registry: as whom it holds leases. */
  readonly judge: string;
  readonly rows: LadderRows & Moves;
  readonly store: ControlStore;
  readonly follower: Follower;
  readonly announcer: Announcer;
  readonly shadowing: Shadowing;
  /** What every live host counted, in a bounded time. */
  readonly collect: () => Promise<readonly (HostReading & AttemptsReading)[]>;
  /** How the background work of a module does; undefined while that cannot be told. */
  readonly background: (module: string) => BackgroundSeconds | undefined;
  readonly log: Logger;
}

export interface Watch {
  start(): void;
  /** There may be something to judge. */
  wake(): void;
  /** Gives back its leases. */
  stop(): Promise<void>;
}

const SECOND_MS = 1_000;
/** While nobody watches anything. */
const IDLE_MS = 3_000;
/** What it counted is stored so often: what a kill loses at most. */
const KEEP_MS = 5_000;

export function createWatch(options: WatchOptions): Watch {
  return new Judge(options);
}

class Judge implements Watch {
  readonly #options: WatchOptions;
  readonly #sightings = new Map<string, Sighting>();
  readonly #rounds = new Rounds(() => this.#round());
  #failing = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#rounds.ask();
  }

  wake(): void {
    if (this.#sightings.size === 0) this.#rounds.ask();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    if (this.#sightings.size > 0) await this.#options.rows.release(this.#options.judge).catch(() => {});
  }

  async #round(): Promise<number> {
    const begun = performance.now();
    let wait = SECOND_MS;
    try {
      wait = await this.#look();
      this.#failing = false;
    } catch (error) {
      // Beneath both sides something is down, and nobody knows what either could have answered.
      for (const one of this.#sightings.values()) one.interrupted();
      if (!this.#failing && this.#sightings.size > 0)
        this.#options.log.warn({ err: error }, 'a ladder could not be judged; trying again');
      this.#failing = true;
    }
    return Math.max(50, wait - (performance.now() - begun));
  }

  /** Answers when to look again. */
  async #look(): Promise<number> {
    const { rows, judge, collect } = this.#options;
    const mine = await rows.claim(judge);
    for (const [module, { run }] of this.#sightings)
      if (!mine.some((row) => row.module === module && row.run === run)) this.#sightings.delete(module);
    if (mine.length === 0) return (await rows.watched()) > 0 ? SECOND_MS : IDLE_MS;
    const hosts = await collect();
    for (const row of mine) await this.#judge(row, hosts);
    return SECOND_MS;
  }

  async #judge(row: LadderRow, hosts: Awaited<ReturnType<WatchOptions['collect']>>): Promise<void> {
    const { rows, follower, store, background, shadowing } = this.#options;
    const { module, climb } = row;
    const known = this.#sightings.get(module);
    const sighting = known?.isOf(row) ? known : new Sighting(row, known);
    this.#sightings.set(module, sighting);
    const instances = follower.current.modules[module]?.instances ?? [];
    const judgement = sighting.look(row, hosts, {
      // While one is replaced on purpose its successor has the time of a start.
      healthy: instances.some(({ healthy }) => healthy) || (await rows.isSucceeded(module)),
      background: background(module),
      ended: await rows.endedSince(module, isOpen(climb) ? climb.rungSince : crashesSince(row)),
      differences: climb.rung === 'shadow' ? await shadowing.differences(module) : undefined,
    });
    if (judgement === undefined) return;
    const wayBack = follower.current.monoliths.some(({ healthy }) => healthy);
    const lagging = judgement.verdict === 'good' ? await store.registry.lagging(row.placed) : [];
    const hold = lagging.length > 0 ? { hold: `${lagging.join(', ')} does not go by its placement yet` } : {};
    const happening = { on: 'judged', judgement, wayBack, ...hold } as const;
    const move = next(climb, happening, row.now);
    if ('refused' in move) return;
    const { state, rung, ready, reason } = move.climb;
    const moves = state !== climb.state || rung !== climb.rung || ready !== climb.ready;
    if (moves || sighting.isDue(judgement, KEEP_MS)) {
      await rows.keep(row, sighting.counted, judgement.evidence, reason);
      sighting.kept(judgement);
    }
    if (moves) await this.#act(row, happening);
  }

  async #act({ module }: LadderRow, happening: Parameters<Moves['happen']>[1]): Promise<void> {
    const { rows, judge, announcer, follower, log } = this.#options;
    const outcome = await rows.happen(module, happening, judge);
    if ('unplaced' in outcome)
      log.warn(
        { module, cause: outcome.unplaced.outcome },
        'a ladder could not place its module; trying again',
      );
    if (!('moved' in outcome)) return;
    const { moved } = outcome;
    announcer.tell(module, moved, moved.overtaken ? 'operator' : 'judge', await rows.evidence(module));
    // Who lags is waited for before the next rung, and not within this lease.
    if (moved.act) await follower.refresh();
  }
}

/** Crashes of the last CRASH_SECONDS, and none from before the present rung. */
const crashesSince = ({ climb, now }: LadderRow): number =>
  Math.max(climb.rungSince, now - CRASH_SECONDS * 1_000);
