// The side of a client's request, decided from what is there before any hook: the router asks on a host that runs the
// module, and the proxy on one that does not. Guarantee: where no module is in canary, and no operator asks for a side,
// nothing of the request is looked at but whether it has that header.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { SIDE_HEADER, shareOf } from '../http/request-share.ts';
import { hasHealthy, mayFallBack, sideOf } from '../routing/side.ts';
import type { Placements, Side } from '../routing/snapshot.ts';

const AT_ONCE = Symbol('fell back at once');

type Routed = IncomingMessage & { [AT_ONCE]?: string };

const near = new AsyncLocalStorage<true>();

export function routedTo(raw: Routed, module: string, { current }: Placements): Side {
  if (current.modules[module]?.placement !== 'canary' && raw.headers[SIDE_HEADER] === undefined)
    return sideOf(current, module, undefined);
  const share = shareOf(raw);
  const side = sideOf(current, module, share);
  if (side === 'in-process' || !mayFallBack(current, module, share)) return side;
  if (near.getStore()) return 'in-process';
  if (hasHealthy(current, module)) return side;
  raw[AT_ONCE] = module;
  return 'in-process';
}

/** The module whose far side it was meant for, where nobody there could be asked. */
export function fellBackAtOnce(raw: Routed): string | undefined {
  return raw[AT_ONCE];
}

/** Requests that are routed meanwhile, and fell back before, stay on the near side. */
export function onNearSide<T>(work: () => T): T {
  return near.run(true, work);
}
