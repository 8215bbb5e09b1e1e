// How a process of these tests asks others: by the real far exit, over a picture that never changes.
import { pino } from 'pino';
import { createRemote, type RemoteCalls } from '../../src/banyan/calls/remote.ts';
import type { InternalTokens } from '../../src/banyan/identity/internal-token.ts';
import type { Rights } from '../../src/banyan/identity/rights.ts';
import type { Placements } from '../../src/banyan/routing/snapshot.ts';

/**
 * @param others where modules are, by module. @param self as whom it asks. @param tokens by which it says so; default: by
 * its name alone, which only processes of these tests believe.
 */
export function remoteTo(
  others: Readonly<Record<string, string>>,
  self: string,
  tokens: Pick<InternalTokens, 'kid' | 'mint'> = { kid: 'k', mint: () => self } as never,
): RemoteCalls {
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
    tokens: tokens as InternalTokens,
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
