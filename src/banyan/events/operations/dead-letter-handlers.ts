// The operations on deliveries that are not done: list, show, redrive, drop.

import { doneBy } from '../../context/principal.ts';
import type { Handlers } from '../../contract/handlers.ts';
import { type Problem, problem } from '../../contract/problem.ts';
import { Type } from '../../contract/type.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { EventRefused } from '../publisher.ts';
import { type Decided, NotAtRest } from './at-rest.ts';
import type { events } from './contract.ts';
import { events as contract } from './contract.ts';
import { cursors, notOurs } from './cursor.ts';
import {
  type DeadLetter,
  type DeadLetterDetails,
  type DeadLetterPosition,
  listDeadLetters,
  readDeadLetter,
} from './dead-letters.ts';
import { drop } from './drop.ts';
import { heldKeys } from './held.ts';
import { NotRepairable, redrive, redriveAll } from './redrive.ts';
import { invalid, type Site } from './site.ts';
import { readable } from './tail.ts';

type Names = 'dead' | 'letter' | 'redrive' | 'redriveMany' | 'drop' | 'held';

const places = cursors(
  Type.Object({
    module: Type.String(),
    since: Type.String({ pattern: '^[-0-9 :.+]+$|^-infinity$' }),
    id: Type.String({ format: 'uuid' }),
  }),
);

export function deadLetterHandlers(site: Site): Pick<Handlers<typeof events>, Names> {
  return {
    dead: async ({ module, state = 'dead', limit = 20, cursor }) => {
      const after = cursor === undefined ? undefined : places.read(cursor);
      const modules = site.some(module);
      const from = after ? modules.findIndex((one) => nameOf(one) === after.module) : 0;
      const found: { letter: DeadLetter; place: DeadLetterPosition }[] = [];
      for (const one of modules.slice(Math.max(from, 0))) {
        const place = after && nameOf(one) === after.module ? ([after.since, after.id] as const) : undefined;
        const room = limit + 1 - found.length;
        if (room === 0) break;
        const page = { state, after: place, limit: room };
        found.push(...(await listDeadLetters(one.store.pool, nameOf(one), page).catch(refusePlace)));
      }
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const more = found.length > limit && last;
      return {
        items: items.map(({ letter }) => letter),
        nextCursor: more
          ? places.write({ module: last.letter.module, since: last.place[0], id: last.place[1] })
          : null,
      };
    },

    letter: async ({ id, module }) => {
      if (module !== undefined) site.one(module);
      const all = await deadLettersOf(site, id);
      const there = all.filter((one) => module === undefined || one.module === module);
      const letter =
        there.find(({ state }) => state === 'dead') ?? there.find(({ state }) => state !== 'done');
      if (!letter) throw unknown(id, there[0]);
      return whole(letter, all);
    },

    redrive: async ({ id, module, data, changedBy }, call) => {
      const by = doneBy(call.principal, changedBy);
      const items = await atRest(site, id, module, (one) => redrive(one, [id], { by, data }));
      call.change = {
        before: { state: 'at rest' },
        after: { ...statesOf(items), edited: data !== undefined },
      };
      return { items };
    },

    drop: async ({ id, module, why, changedBy }, call) => {
      const by = doneBy(call.principal, changedBy);
      const items = await atRest(site, id, module, (one) => drop(one, [id], { by, why }));
      call.change = { before: { state: 'at rest' }, after: { ...statesOf(items), why } };
      return { items };
    },

    redriveMany: async ({ module, ids, changedBy }, call) => {
      const by = doneBy(call.principal, changedBy);
      call.change = { after: { module, ids } };
      if (ids === undefined) {
        if (module === undefined) throw invalid({ path: '/module', message: 'is required, or else ids' });
        return { redriven: await redriveAll(site.one(module), by) };
      }
      // All are looked up first: a wrong id among them changes nothing.
      const wanted = new Map<ModuleEvents, string[]>();
      for (const id of new Set(ids))
        for (const one of await whereAtRest(site, id, module))
          wanted.set(one, [...(wanted.get(one) ?? []), id]);
      let redriven = 0;
      for (const [one, own] of wanted) redriven += (await asProblems(() => redrive(one, own, { by }))).length;
      return { redriven };
    },

    held: async ({ module, limit = 100 }) => {
      const found = await Promise.all(
        site.some(module).map((one) => heldKeys(one.store.pool, nameOf(one), limit)),
      );
      return { items: found.flat().slice(0, limit) };
    },
  };
}

/** How they are now, by consumer. */
const statesOf = (items: readonly Decided[]) =>
  Object.fromEntries(items.map(({ module, state }) => [module, state]));

/** A time of its shape that no calendar has: only PostgreSQL knows them all. */
function refusePlace(error: unknown): never {
  const { code } = error as { code?: string };
  throw code === '22007' || code === '22008' ? notOurs() : error;
}

async function deadLettersOf(site: Site, id: string): Promise<DeadLetterDetails[]> {
  const found = site.some(undefined).map((one) => readDeadLetter(one.store.pool, nameOf(one), id));
  return (await Promise.all(found)).filter((one) => one !== undefined);
}

/** The same decision at every consumer that waits for one about this event. */
async function atRest(
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
async function whereAtRest(site: Site, id: string, module: string | undefined): Promise<ModuleEvents[]> {
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

async function asProblems<T>(decide: () => Promise<T>): Promise<T> {
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

function whole(letter: DeadLetterDetails, all: readonly DeadLetterDetails[]) {
  const { value, ...rest } = letter;
  const alsoIn = all
    .filter((one) => one.module !== letter.module && one.state === letter.state)
    .map(({ module }) => module);
  return {
    ...rest,
    history: [...letter.history],
    audit: [...letter.audit],
    ...readable(value),
    raw: value?.toString('base64') ?? null,
    bytes: value?.length ?? 0,
    alsoIn,
  };
}
