// What each host said last of what it takes, and of those that are silent since when and why. Pure.
import type { HostRow } from '../placement/tables.ts';
import type { HostCost } from '../telemetry/host-cost.ts';
import type { Collected } from '../telemetry/stats-sums.ts';

export interface HeardHost {
  /** When it last answered, in milliseconds since the epoch; absent: it never did. */
  readonly at?: number;
  readonly cost?: HostCost;
  /** Processors' worth. */
  readonly cpu?: number;
  /** Why it gave no answer now. */
  readonly silent?: string;
}

export type Heard = ReadonlyMap<string, HeardHost>;

export function heardOf(
  before: Heard | undefined,
  { at, hosts, silent }: Collected,
  there: readonly Pick<HostRow, 'host'>[],
): Heard {
  const next = new Map<string, HeardHost>();
  for (const { host } of there) {
    const known = before?.get(host);
    const said = hosts.find((one) => one.host === host);
    const reason = silent.find((one) => one.host === host)?.reason ?? 'it is not heard of';
    next.set(host, said ? answered(known, at, said.cost) : { ...known, silent: reason });
  }
  return next;
}

function answered(known: HeardHost | undefined, at: number, cost: HostCost | undefined): HeardHost {
  if (!cost) return { at };
  const cpu = known?.cost && known.at !== undefined ? shareOf(known.cost, known.at, cost, at) : undefined;
  return { at, cost, ...(cpu !== undefined && { cpu: smooth(known?.cpu, cpu) }) };
}

function shareOf(before: HostCost, from: number, now: HostCost, to: number): number | undefined {
  return to > from ? Math.max(0, (now.cpuSeconds - before.cpuSeconds) / ((to - from) / 1000)) : undefined;
}

/** A mean of some seconds: one alone jumps. */
const smooth = (before: number | undefined, now: number) =>
  before === undefined ? now : 0.7 * before + 0.3 * now;
