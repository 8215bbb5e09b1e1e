// A stretch of the log that cannot be read is given up: every consumer that stands before exactly it goes on behind
// it. The decision is a row of the audit in each one's store, and it acts when it looks next, 5 s later at most.
import { problem } from '../../contract/problem.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { standingObstacles } from '../obstacles.ts';
import { audit } from './audit.ts';
import { events } from './contract.ts';

export interface Skip {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly by: string;
  readonly why: string;
}

export interface Skipped {
  readonly module: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly last: string;
}

export async function skip(modules: readonly ModuleEvents[], decision: Skip): Promise<Skipped[]> {
  const { topic, partition, offset, by, why } = decision;
  const found: { one: ModuleEvents; skipped: Skipped }[] = [];
  for (const one of modules)
    for (const at of await standingObstacles(one.store.pool, nameOf(one)))
      if (at.topic === topic && at.partition === partition && at.offset === offset)
        found.push({ one, skipped: { module: nameOf(one), topic, partition, offset, last: at.last } });
  if (found.length === 0) {
    throw problem(events, 'not-parked', {
      detail: `No consumer stands before ${topic}, partition ${partition}, offset ${offset}. GET /admin/events lists where one does.`,
    });
  }
  for (const { one, skipped } of found) {
    const { last } = skipped;
    const query = async (text: string, values?: readonly unknown[]) =>
      one.store.pool.query(text, values as unknown[]) as never;
    const detail = { topic, partition, offset, last };
    await audit({ query }, nameOf(one), [{ action: 'skip', by, why, detail }]);
  }
  return found.map(({ skipped }) => skipped);
}
