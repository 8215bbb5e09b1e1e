// How a process of these tests asks others: by the real far exit, over a picture that never changes.
import { pino } from 'pino';
import { createRemote, type RemoteCalls } from '../../src/banyan/calls/remote.ts';
import type { Rights } from '../../src/banyan/identity/rights.ts';
import type { Placements } from '../../src/banyan/routing/snapshot.ts';

/** @param others where modules are, by module. @param self as whom it asks. */
export function remoteTo(others: Readonly<Record<string, string>>, self: string): RemoteCalls {
  const modules = Object.entries(others).map(([module, url]) => {
    const instance = {
      id: `${module}-1`,
      host: `${module} at ${url}`,
      url,
      pid: 0,
      doors: ['ws'],
      healthy: true,
    };
    return [module, { module, placement: 'service', percent: 100, instances: [instance] }];
  });
  const current = { version: 1, modules: Object.fromEntries(modules), monoliths: [], revoked: {} };
  const placements = {
    current,
    subscribe: () => () => {},
    refresh: async () => current,
  } as unknown as Placements;
  return createRemote({
    placements,
    tokens: { kid: 'k', mint: () => self } as never,
    log: pino({ level: 'silent' }),
  });
}

/** Everybody may ask for everything; what may not be asked is the concern of other tests. */
export const everyRight: Rights = {
  refusalOfCall: () => undefined,
  refusalOfName: () => undefined,
  refusalOfReplay: () => undefined,
  refusalOfClient: () => undefined,
  refusalOfStats: () => undefined,
};
