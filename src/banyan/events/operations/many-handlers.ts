// The operations on many dead letters at once, those named or those of a selection: redrive, perhaps at a rate, and drop. And
// the trial of one.

import { doneBy } from '../../context/principal.ts';
import type { Handlers } from '../../contract/handlers.ts';
import type { ModuleEvents } from '../module-events.ts';
import type { Decided } from './at-rest.ts';
import type { events } from './contract.ts';
import { asProblems, letterOf, whereAtRest } from './deciding.ts';
import { drop } from './drop.ts';
import { inPortions, redrive, selected } from './redrive.ts';
import { isEmpty, type Selection } from './selection.ts';
import { invalid, type Site } from './site.ts';
import { tryDelivery } from './try-delivery.ts';

type Names = 'redriveMany' | 'dropMany' | 'try';

interface Meant extends Selection {
  readonly module?: string | undefined;
  readonly ids?: readonly string[] | undefined;
}

export function manyHandlers(site: Site): Pick<Handlers<typeof events>, Names> {
  return {
    try: async ({ id, module, data, checkOnly = false }, call) => {
      const { letter } = await letterOf(site, id, module);
      const { publishes, headers, errors, ...rest } = await tryDelivery(site.one(letter.module), letter, {
        data,
        checkOnly,
      });
      call.change = { after: { checkOnly, works: rest.works } };
      return {
        ...rest,
        ...(errors && { errors: [...errors] }),
        publishes: [...publishes],
        headers: [...headers],
      };
    },

    redriveMany: async ({ changedBy, perSecond, ...meant }, call) => {
      call.change = { after: { ...meant, perSecond } };
      const by = doneBy(call.principal, changedBy);
      const everyMs = perSecond === undefined ? undefined : 1_000 / perSecond;
      const redriven = await each(site, meant, (one, ids, before) => {
        const pace = everyMs === undefined ? undefined : { everyMs, firstMs: before * everyMs };
        return redrive(one, ids, { by, pace });
      });
      if (everyMs === undefined) return { redriven };
      return { redriven, lastAfterSeconds: (Math.max(redriven - 1, 0) * everyMs) / 1_000 };
    },

    dropMany: async ({ changedBy, why, ...meant }, call) => {
      call.change = { after: { ...meant, why } };
      const by = doneBy(call.principal, changedBy);
      return { dropped: await each(site, meant, (one, ids) => drop(one, ids, { by, why })) };
    },
  };
}

/** Decides about all that are meant; answers about how many. `before`: those decided about so far. */
async function each(
  site: Site,
  { module, ids, ...filter }: Meant,
  decide: (one: ModuleEvents, ids: readonly string[], before: number) => Promise<Decided[]>,
): Promise<number> {
  let decided = 0;
  if (ids !== undefined) {
    if (!isEmpty(filter))
      throw invalid({
        path: '/ids',
        message: 'names them already: leave type, reason, key and olderThan out',
      });
    // All are looked up first: a wrong id among them changes nothing.
    const wanted = new Map<ModuleEvents, string[]>();
    for (const id of new Set(ids))
      for (const one of await whereAtRest(site, id, module))
        wanted.set(one, [...(wanted.get(one) ?? []), id]);
    for (const [one, own] of wanted) decided += (await asProblems(() => decide(one, own, decided))).length;
    return decided;
  }
  if (module === undefined && isEmpty(filter))
    throw invalid({ path: '/module', message: 'is required, or else ids, or a filter' });
  for (const one of site.some(module)) {
    const before = decided;
    const some = await selected(one, filter);
    decided += await inPortions(some, (own, done) => decide(one, own, before + done));
  }
  return decided;
}
