// The console of this host: where it is, and what it is given when somebody first asks for it. Nothing of it is loaded before.
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { ConsoleMount } from '../gateway/console.ts';
import type { Networks } from '../limits/networks.ts';
import type { Parts } from './parts.ts';

/** Undefined: there is none here. @param host this process in the registry, where it supervises; null: a gateway alone. */
export function consoleOf(
  parts: Parts,
  host: string | null,
  own: readonly Dispatcher[],
  proxies: Networks | undefined,
  closing: AbortSignal,
): ConsoleMount | undefined {
  const { settings, contracts, dispatchers, control, tokens, metrics, log, security, bearer } = parts;
  const { console: prefix, app, adminToken, rootKey } = settings;
  if (prefix === undefined) return undefined;
  return {
    prefix,
    open: async (answer) => {
      const { openConsole } = await import('../console/door.ts');
      return openConsole({
        product: { title: app.title, version: app.version },
        prefix,
        host,
        contracts,
        own,
        local: dispatchers,
        placements: control.follower,
        store: control.store!,
        tokens,
        metrics,
        log,
        security,
        verifyBearer: bearer,
        adminToken: adminToken!,
        rootKey: rootKey!,
        proxies,
        closing,
        answer,
      });
    },
  };
}
