// Where a person's decision about a delivery applies, and how it is refused where it does not: the same for one delivery and
// for many, whatever the decision is.
import { type Problem, problem } from '../../contract/problem.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { EventRefused } from '../publisher.ts';
import { type Decided, NotAtRest } from './at-rest.ts';
import { events as contract } from './contract.ts';
import { type DeadLetterDetails, readDeadLetter } from './dead-letters.ts';
import { NotRepairable } from './edit.ts';
import { invalid, type Site } from './site.ts';

/** The one that is meant, where it is dead if it is anywhere, and the same event at all consumers. Throws the 404 problem. */
export async function letterOf(
  site: Site,
  id: string,
  module: string | undefined,
  any = false,
): Promise<{ letter: DeadLetterDetails; all: readonly DeadLetterDetails[] }> {
  if (module !== undefined) site.one(module);
  const all = await deadLettersOf(site, id);
  const there = all.filter((one) => module === undefined || one.module === module);
  const letter =
    there.find(({ state }) => state === 'dead') ??
    there.find(({ state }) => state !== 'done') ??
    (any ? there[0] : undefined);
  if (!letter) throw unknown(id, there[0]);
  return { letter, all };
}

async function deadLettersOf(site: Site, id: string): Promise<DeadLetterDetails[]> {
  const found = site.some(undefined).map((one) => readDeadLetter(one.store.pool, nameOf(one), id));
  return (await Promise.all(found)).filter((one) => one !== undefined);
}

/** The same decision at every consumer that waits for one about this event. */
export async function atRest(
  site: Site,
  id: string,
  module: string | undefined,
  decide: (one: ModuleEvents) => Promise<Decided[]>,
): Promise<Decided[]> {
  const decided: Decided[] = [];
  for (const one of await whereAtRest(site, id, module))
    decided.push(...(await asProblems(() => decide(one))));
  return decided;
}

/** Where the delivery is dead; if nowhere, where it is open in another way. Throws the 404 and the 409 problem. */
export async function whereAtRest(
  site: Site,
  id: string,
  module: string | undefined,
): Promise<ModuleEvents[]> {
  const modules = site.some(module);
  const letters = await Promise.all(modules.map((one) => readDeadLetter(one.store.pool, nameOf(one), id)));
  const among = (fits: (letter: DeadLetterDetails) => boolean) =>
    modules.filter((_, n) => letters[n] !== undefined && fits(letters[n]));
  const dead = among(({ state }) => state === 'dead');
  if (dead.length > 0) return dead;
  const open = among(({ state }) => state !== 'done' && state !== 'dropped');
  if (open.length > 0) return open;
  const settled = letters.find((one) => one !== undefined);
  throw settled ? settledAlready(settled) : unknown(id, undefined);
}

export async function asProblems<T>(decide: () => Promise<T>): Promise<T> {
  try {
    return await decide();
  } catch (error) {
    if (error instanceof NotAtRest)
      throw problem(contract, 'not-at-rest', {
        detail: `${error.message}. Only what is at rest can be decided about: npx banyan events show ${error.id}`,
      });
    if (error instanceof NotRepairable)
      throw problem(contract, 'not-repairable', {
        detail:
          `An edit changes the data alone, and the event cannot be read for another reason: ${error.message}. ` +
          'Drop it, and publish a right one (POST /api/events).',
      });
    if (error instanceof EventRefused)
      throw invalid(...error.errors.map(({ path, message }) => ({ path: `/data${path}`, message })));
    throw error;
  }
}

function settledAlready({ id, module, state, since }: DeadLetterDetails): Problem {
  return problem(contract, 'not-at-rest', {
    detail: `${id} is ${state} at ${module} since ${since}: there is nothing left to decide.`,
  });
}

function unknown(id: string, settled: DeadLetterDetails | undefined): Problem {
  return problem(contract, 'letter-unknown', {
    detail: settled
      ? `${id} is ${settled.state} at ${settled.module}; it is no dead letter. See GET /admin/events/${id}.`
      : `No consumer has a delivery ${id}. GET /admin/events/dead lists the dead letters.`,
  });
}
