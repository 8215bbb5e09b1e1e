// Work that is only tried: one request's work, all of which is rolled back in the end. It runs as it always does, and what
// it does to the database takes no effect (postgres/trial.ts). What it does beside the database would: whoever writes a file,
// fills a cache, wakes somebody or notes something asks `isTrial` first, and leaves it.
// Guarantee: what a trial left running is of that trial also after its end, so that nothing of it takes effect later.
// It must not know what the work is. Not part of the flow: a new flow inside a trial is no way out of it.
import { AsyncLocalStorage } from 'node:async_hooks';

const present = new AsyncLocalStorage<object>();

/** There was one in this process: before that nobody has to look. */
let ever = false;

/** The work that runs now is rolled back in the end: leave undone what is not the database's. */
export function isTrial(): boolean {
  return ever && present.getStore() !== undefined;
}

/** What the trial is to whoever began it. */
export function trialHere(): object | undefined {
  return ever ? present.getStore() : undefined;
}

export function withTrial<T>(trial: object, work: () => T): T {
  ever = true;
  return present.run(trial, work);
}
