// Prisma's client as a module holds it: one object, behind which each trial has a client of its own. Prisma puts together
// what different requests look up by key in one turn of the event loop, and sends it for the first of them: a request would
// get its rows over a trial's connection, and a trial its rows over the usual ones.
// A trial's client serves one trial at a time, and the next one after it.
// It must not know what is asked.
import { isTrial } from '../context/trial.ts';
import { presentTrial, type Trial } from '../postgres/trial.ts';

interface Apart<P> {
  readonly client: P;
  close(): Promise<void>;
}

export function triedApart<P>(usual: P, open: () => P): Apart<P> {
  const all: P[] = [usual];
  const free: P[] = [];
  const lent = new WeakMap<Trial, P>();

  const lend = (trial: Trial): P => {
    let client = lent.get(trial);
    if (client === undefined) {
      client = free.pop() ?? open();
      if (!all.includes(client)) all.push(client);
      lent.set(trial, client);
      const kept = client;
      trial.atEnd(() => free.push(kept));
    }
    return client;
  };
  // A module without Prisma has none.
  const client =
    typeof usual === 'object' && usual !== null
      ? new Proxy(usual, {
          get: (target, key) => Reflect.get(isTrial() ? (lend(presentTrial()!) as object) : target, key),
        })
      : usual;
  return {
    client,
    async close() {
      for (const one of all)
        await (one as { $disconnect?: () => Promise<void> } | undefined)?.$disconnect?.();
    },
  };
}
