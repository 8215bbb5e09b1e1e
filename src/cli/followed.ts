// What goes on at the server, looked at until it is over or the person leaves. A monolith that restarts meanwhile is waited for.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './client.ts';
import { Failure } from './failure.ts';

export interface Following<T> {
  readonly isOver: (body: T) => boolean;
  /** Before each look, also when the one before did not get an answer. */
  readonly show: (body: T) => void;
  readonly look: () => Promise<Answer<T>>;
  readonly everyMs: number;
  /** So long nobody may answer. */
  readonly awayMs: number;
  /** The person leaves: what is known by then is answered. */
  readonly signal: AbortSignal;
}

export async function followed<T>(
  begun: Answer<T>,
  { isOver, show, look, everyMs, awayMs, signal }: Following<T>,
): Promise<Answer<T>> {
  let last = begun;
  let awaySince = 0;
  while (!isOver(last.body) && !signal.aborted) {
    show(last.body);
    await sleep(everyMs, undefined, { signal }).catch(() => {});
    try {
      last = await look();
      awaySince = 0;
    } catch (error) {
      if (signal.aborted) break;
      awaySince ||= Date.now();
      const isAway = error instanceof Failure && error.problem.status >= 500;
      if (!isAway || Date.now() - awaySince > awayMs) throw error;
    }
  }
  return last;
}
