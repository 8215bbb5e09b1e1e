// What a failure means: of the event itself, how long it waits before the next attempt, or that there is none; of the
// database, which gave up a transaction for the sake of another, only that the same is to be done once more.
import { waitAfter } from '../context/backoff.ts';
import { textual } from './cloudevents.ts';
import type { RetryPolicy } from './listener.ts';

export interface Failure {
  readonly attempt: number;
  readonly error: unknown;
  readonly policy: RetryPolicy;
  /** Of the attempt's own span. */
  readonly traceparent: string;
}

export const defaultPolicy: RetryPolicy = { attempts: 8, baseMs: 200, maxMs: 60_000, afterDeath: 'hold-key' };

export function judge({ attempt, error, policy }: Failure) {
  const last = attempt >= policy.attempts;
  const known = error instanceof Error ? error : new Error(String(error));
  return {
    // Half of it by chance: 200 ms, then 400 … to a minute, each between 50 and 100 % of it.
    wait: last
      ? null
      : waitAfter(attempt, { firstMs: policy.baseMs, longestMs: policy.maxMs, between: [0.5, 1] }),
    holds: last && policy.afterDeath === 'hold-key',
    message: textual(known.message).slice(0, 2_000),
    stack: known.stack ? textual(known.stack).slice(0, 8_000) : null,
  };
}

/** The database gave up this transaction for the sake of another; it says nothing about the event. */
export function isTransient(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === '40001' || code === '40P01' || code === 'P2034';
}

/** Deadlocks and serialization failures are the database's way to say "once more". */
export async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || attempt === 5) throw error;
    }
  }
}
