// A ladder as operators see it: from its row to the answer of the admin API. Pure.

import type { LadderRow } from '../climb/rows.ts';
import { type Climb, isWatched } from '../climb/steps.ts';
import type { EvidenceRow } from '../judge/evidence.ts';
import { weakness } from '../judge/rungs.ts';
import type { ShadowCounts } from '../judge/shadowing.ts';
import type { Ladder } from './contract.ts';

export function shownOf(
  module: string,
  row: LadderRow | undefined,
  evidence: readonly EvidenceRow[],
  shadow: ShadowCounts,
): Ladder {
  const { unjudged = [], ...counts } = shadow;
  if (!row) return { module, ...none, shadow: counts };
  const { climb, startedBy, startedAt } = row;
  const { rungs, minSeconds, minRequests, maxSeconds, confirm } = climb.policy;
  const weaker = weakness(climb.policy);
  return {
    module,
    state: climb.state,
    rung: climb.rung,
    steps: [...rungs],
    reason: climb.reason,
    waits: waitsOf(climb),
    shadow: counts,
    ...(climb.promoted && { promoted: climb.promoted.map((one) => ({ ...one })) }),
    unjudged: [...(climb.unjudged ?? (climb.rung === 'shadow' ? unjudged : []))],
    evidence: evidence.map((one) => ({ ...one, near: { ...one.near }, far: { ...one.far } })),
    policy: { minSeconds, minRequests, maxSeconds, confirm },
    weaker: weaker === undefined ? [] : [weaker],
    watched: isWatched(climb),
    startedBy,
    startedAt,
    rungSince: new Date(climb.rungSince).toISOString(),
  };
}

const none: Omit<Ladder, 'module' | 'shadow'> = {
  state: 'none',
  rung: null,
  steps: [],
  reason: null,
  waits: null,
  unjudged: [],
  evidence: [],
  policy: null,
  weaker: [],
  watched: false,
  startedBy: null,
  startedAt: null,
  rungSince: null,
};

function waitsOf({ state, starved, ready }: Climb): Ladder['waits'] {
  if (state === 'running' && ready) return 'confirmation';
  if (state !== 'paused') return null;
  return starved ? 'traffic' : 'person';
}
