// What was counted of both sides of a metric, in words that fit into a column: some are parts of requests, some are seconds, and
// some happen to the service alone. Pure.
import type { Evidence } from '../banyan/ladder/desk/contract.ts';
import { plural, thousands } from './times.ts';

/** Of the monolith `''` where there is nothing to compare with. */
export function metricInWords(
  metric: string,
  { near, far }: Pick<Evidence, 'near' | 'far'>,
): readonly [near: string, far: string] {
  if (metric === 'instances') return ['', `none for ${thousands(far.n)} s`];
  if (metric === 'restarts') return ['', plural(far.n, 'end')];
  if (metric === 'lag' || metric === 'outbox') return ['', `${part(far)} s`];
  return [part(near), part(far)];
}

const part = ({ n, bad }: Evidence['near']) => `${thousands(bad)} of ${thousands(n)}`;
