// The operations on deliveries that are not done: list, show, redrive, drop. Those on many at once are in many-handlers.ts.

import { doneBy } from '../../context/principal.ts';
import type { Handlers } from '../../contract/handlers.ts';
import { Type } from '../../contract/type.ts';
import { nameOf } from '../module-events.ts';
import type { Decided } from './at-rest.ts';
import type { events } from './contract.ts';
import { cursors, notOurs } from './cursor.ts';
import {
  countDeadLetters,
  type DeadLetter,
  type DeadLetterDetails,
  type DeadLetterPosition,
  listDeadLetters,
} from './dead-letters.ts';
import { atRest, letterOf } from './deciding.ts';
import { drop } from './drop.ts';
import { heldKeys } from './held.ts';
import { publishedByHand } from './publish.ts';
import { redrive } from './redrive.ts';
import { notSentAgain } from './sent-again.ts';
import { invalid, type Site } from './site.ts';
import { readable } from './tail.ts';
import { unhandledOf, worstFirst } from './unhandled.ts';

type Names = 'dead' | 'letter' | 'redrive' | 'drop' | 'held' | 'unhandled';

/** So many keys are asked for at once. */
const MOST_KEYS = 100;

const places = cursors(
  Type.Object({
    module: Type.String(),
    since: Type.String({ pattern: '^[-0-9 :.+]+$|^-infinity$' }),
    id: Type.String({ format: 'uuid' }),
  }),
);

export function deadLetterHandlers(site: Site): Pick<Handlers<typeof events>, Names> {
  return {
    dead: async ({ module, state = 'dead', limit = 20, cursor, ...meant }) => {
      const after = cursor === undefined ? undefined : places.read(cursor);
      const modules = site.some(module);
      const from = after ? modules.findIndex((one) => nameOf(one) === after.module) : 0;
      const found: { letter: DeadLetter; place: DeadLetterPosition }[] = [];
      for (const one of modules.slice(Math.max(from, 0))) {
        const place = after && nameOf(one) === after.module ? ([after.since, after.id] as const) : undefined;
        const room = limit + 1 - found.length;
        if (room === 0) break;
        const page = { state, after: place, limit: room, meant };
        found.push(...(await listDeadLetters(one.store.pool, nameOf(one), page).catch(refusePlace)));
      }
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const more = found.length > limit && last;
      const counts = () =>
        modules.map((one) => countDeadLetters(one.store.pool, nameOf(one), { state, meant }));
      const total = async () => (await Promise.all(counts())).reduce((sum, n) => sum + n, 0);
      return {
        items: items.map(({ letter }) => letter),
        nextCursor: more
          ? places.write({ module: last.letter.module, since: last.place[0], id: last.place[1] })
          : null,
        ...(after === undefined && { total: more ? await total() : items.length }),
      };
    },

    letter: async ({ id, module, any }) => {
      const { letter, all } = await letterOf(site, id, module, any);
      return { ...whole(letter, all), byHand: await publishedByHand(site.some(undefined), id) };
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

    held: async ({ module, key, limit = 100 }) => {
      const found = await Promise.all(
        site.some(module).map((one) => heldKeys(one.store.pool, nameOf(one), limit, key)),
      );
      return { items: found.flat().slice(0, limit) };
    },

    unhandled: async ({ keys }) => {
      const asked = [...new Set(keys.split(','))];
      if (asked.length > MOST_KEYS)
        throw invalid({ path: '/keys', message: `must be at most ${MOST_KEYS} keys, not ${asked.length}` });
      const found = await Promise.all(
        site.some(undefined).map((one) => unhandledOf(one.store.pool, nameOf(one), asked)),
      );
      return { items: worstFirst(found.flat()) };
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
    notSentAgain: notSentAgain(letter.headers),
  };
}
