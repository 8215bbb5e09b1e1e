// The mechanics between two servers as a coordinator asks for them: one list, in its words. What each does and guarantees is in
// the file that does it.
import type pg from 'pg';
import { isAway } from '../../postgres/away.ts';
import { isFenced } from '../pair/fence.ts';
import { wouldBeLost } from '../pair/lost.ts';
import { beat } from '../pair/marker.ts';
import { dropPair, makePair, pairState } from '../pair/pair.ts';
import { withBoth, withSession } from '../pair/sessions.ts';
import type { Snapshots } from '../pair/snapshots.ts';
import { compare } from '../pair/verify.ts';
import { lagGate } from '../pause/lag.ts';
import { runPause } from '../pause/pause.ts';
import { leftInWords, recover } from '../pause/recover.ts';
import { passSequences } from '../pause/sequences.ts';
import { refresh } from '../pause/statistics.ts';
import type { Finding } from '../preflight/finding.ts';
import { type PreflightFacts, preflight } from '../preflight/preflight.ts';
import { NoUse } from './failures.ts';
import { dropLeftover } from './leftover.ts';
import type { Between, Mechanics } from './mechanics.ts';

export interface BetweenOptions {
  /** The target's schema, roles and library tables, so that nobody of the module gets in. */
  provision(between: Between): Promise<void>;
  facts(between: Between): Promise<PreflightFacts>;
  /** Whether the host whose sessions have that name is none of those that are held: it may be frozen. */
  mayEnd(between: Between): Promise<(application: string) => boolean>;
}

export function createMechanics({ provision, facts, mayEnd }: BetweenOptions): Mechanics<Snapshots> {
  return {
    provision,
    preflight: async (between): Promise<Finding[]> => {
      const { source, target, moving } = between;
      return preflight(source, target, moving, await facts(between));
    },
    makePair: ({ source, target, moving }, onProgress, signal) =>
      makePair(source, target, moving, onProgress, signal),
    pairState: async ({ source, target, moving }) => {
      const state = await pairState(source, target, moving);
      // By what the other saw last is told what it would be without (lost.ts).
      if (state.state === 'paired') await beat(source, moving);
      return state;
    },
    dropPair: ({ source, target, moving }) => dropPair(source, target, moving),
    lagGate: async (between, signal) => {
      const why = await lagGate(between, { signal, mayEnd: () => mayEnd(between) });
      if (why !== undefined) throw new NoUse(`it did not keep up for ten minutes: ${why}`);
    },
    refresh: ({ target, moving }) => refresh(target, moving),
    pause: async (between, by, { rehearse }) =>
      runPause(between, by, { rehearse, mayEnd: await mayEnd(between) }),
    recover: async ({ source, target, moving }, owner) => {
      const other = owner.name === target.name ? source : target;
      return leftInWords(await recover({ owner, other, moving }), other);
    },
    isSettled,
    compare: (between, snapshots, onProgress) =>
      compare(snapshots ?? between, ({ rows }) => onProgress({ copied: rows, total: 0 })),
    dropLeftover: ({ target, moving }, since) => dropLeftover(target, moving, since),
    takeOver: async ({ source, target, moving }) => {
      // First: what only the lost one has must not come over what is written from now on, should it be back.
      await dropPair(source, target, moving);
      await withSession(target, `move ${moving.module}`, (client) => passSequences(client, moving));
      await recover({ owner: target, other: source, moving });
    },
    wouldBeLost: async ({ source, target, moving }) => (await wouldBeLost(target, source, moving)).words,
  };
}

function isSettled({ source, target, moving }: Between): Promise<boolean> {
  return withBoth(source, target, `store ${moving.module}`, async (here, there) => {
    const isOpen = async (client: pg.Client) =>
      !(await isFenced(client, moving)) && !(await isAway(client, moving));
    return (await isOpen(here)) && (await isFenced(there, moving)) && (await isAway(there, moving));
  });
}
