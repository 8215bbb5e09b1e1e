// What metrics say of stores: what was done to them, and of each pair its state, how far one is behind, and what that costs the
// disk of the owner. Read from rows, so that every monolith says the same of pairs; moves are counted by who did them.
import type { PairRow, PairRows } from '../servers/tasks/pair-rows.ts';
import { states } from '../servers/tasks/steps.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export function countMoves(metrics: Metrics, pairs: PairRows) {
  // From 0, so that a rule sees the first one, too.
  const ends = states.filter((state) => state !== 'running');
  const outcomes = new Map<string, number>(ends.map((state) => [state, 0]));
  metrics.total('banyan_store_moves_total', 'What was done to stores, by what came of it', ['outcome'], () =>
    [...outcomes].map(([outcome, value]) => ({ labels: { outcome }, value })),
  );
  const lag = (name: string, help: string, of: (row: PairRow) => number | null) =>
    metrics.gauge(name, help, ['module'], async () =>
      // Numbers of other parts are not to be missed while control is away.
      (await pairs.read().catch(() => [])).flatMap((row) => {
        const value = of(row);
        return value === null ? [] : [{ labels: { module: row.module }, value }];
      }),
    );
  lag(
    'banyan_store_pair_lag_bytes',
    'What the server that follows has not got yet',
    ({ lagBytes }) => lagBytes,
  );
  lag('banyan_store_pair_lag_seconds', 'How far the server that follows is behind', ({ lagMs }) =>
    lagMs === null ? null : lagMs / 1000,
  );
  lag(
    'banyan_store_pair_kept_bytes',
    "What the owner's slot keeps of its log for the server that follows",
    ({ keptBytes }) => keptBytes,
  );
  metrics.gauge(
    'banyan_store_pair_state',
    '1 for the state that the pair of a module is in',
    ['module', 'state'],
    async () =>
      (await pairs.read().catch(() => [])).map(({ module, state }) => ({
        labels: { module, state },
        value: 1,
      })),
  );
  metrics.gauge(
    'banyan_store_pair_broken',
    '1 while the servers of a pair do not follow each other any more: only a new copy mends it',
    ['module'],
    async () =>
      (await pairs.read().catch(() => [])).map(({ module, state }) => ({
        labels: { module },
        value: state === 'broken' ? 1 : 0,
      })),
  );
  return { add: (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1) };
}
