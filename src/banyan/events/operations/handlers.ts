// The handlers of the events contract, for a host that has the modules' stores. Where a module serves does not
// matter: what is decided here is written into its store, and whoever consumes for it goes by that.

import { doneBy } from '../../context/principal.ts';
import type { EventDefinition } from '../../contract/contract.ts';
import type { Handlers } from '../../contract/handlers.ts';
import { checkOf, EventRefused } from '../publisher.ts';
import type { EventStats } from '../stats.ts';
import type { events } from './contract.ts';
import { deadLetterHandlers } from './dead-letter-handlers.ts';
import { logHandlers } from './log-handlers.ts';
import { manyHandlers } from './many-handlers.ts';
import { publishByHand } from './publish.ts';
import { invalid, Site, type SiteOptions } from './site.ts';

export function eventHandlers(options: SiteOptions): Handlers<typeof events> {
  const site = new Site(options);
  return {
    ...deadLetterHandlers(site),
    ...manyHandlers(site),
    ...logHandlers(site),

    overview: async () => {
      const all = await Promise.all(site.all().map((one) => one.stats()));
      return {
        log: { kind: site.eventLog.kind, reachable: all.every(({ lag }) => lag !== null) },
        modules: all.map(overviewOf),
      };
    },

    publish: async ({ topic, key, message: { type, data }, changedBy }, call) => {
      call.change = { after: { topic, key, type } };
      const event = findType(site, topic, type);
      const errors = checkOf(event)
        .errors(data)
        .map(({ path, message }) => ({ path: `/message/data${path}`, message }));
      const given = (data as Record<string, unknown>)[event.key];
      if (typeof given === 'string' && given !== key)
        errors.push({ path: '/key', message: `differs from /message/data/${event.key}, which is the key` });
      if (errors.length > 0) throw invalid(...errors);
      try {
        const by = doneBy(call.principal, changedBy);
        const id = await publishByHand(site.one(event.module), event, data, by);
        call.change = { after: { topic, key, type, id } };
        return { id, topic, key, type };
      } catch (error) {
        if (!(error instanceof EventRefused)) throw error;
        throw invalid(
          ...error.errors.map(({ path, message }) => ({ path: `/message/data${path}`, message })),
        );
      }
    },
  };
}

function findType(site: Site, topic: string, type: string): EventDefinition {
  const contract = site.contracts.find(({ module }) => `${module}.events` === topic);
  const known = Object.values((contract?.events ?? {}) as Record<string, EventDefinition>);
  if (known.length === 0)
    throw invalid({ path: '/topic', message: `is not one of ${site.topics().join(', ')}` });
  const found = known.find((event) => event.type === type);
  if (found) return found;
  const types = known.map((event) => event.type).join(', ');
  throw invalid({ path: '/message/type', message: `is not published on ${topic}, which has ${types}` });
}

function overviewOf({ module, outbox, relay, lag, deliveries, heldKeys, parked, refused }: EventStats) {
  const seconds = lag?.map((one) => one.seconds) ?? [];
  return {
    module,
    outbox: { ...outbox },
    relay: { ...relay },
    lag: lag && {
      events: lag.reduce((sum, one) => sum + one.events, 0),
      seconds: seconds.includes(null) ? null : Math.max(0, ...(seconds as number[])),
      topics: lag.map((one) => ({ ...one })),
    },
    deliveries: { ...deliveries },
    heldKeys,
    parked: parked.map((one) => ({ ...one })),
    refused: refused.map((one) => ({ ...one })),
  };
}
