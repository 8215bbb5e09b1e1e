// Where a request of a client or a call between modules goes: to the services of its module, or to whoever runs all
// modules. Decided here and nowhere else, once for each; the router, refs, the proxy and the connections to other hosts
// read what was decided. In canary a share of the keys goes to the services: the same ones everywhere, and all of them
// still when the share grows. It knows no header and no frame: whose share a request is in comes from context/share.ts.
import type { Share } from '../context/share.ts';
import { bucketOf } from './bucket.ts';
import { sharesRelease } from './release.ts';
import type { Instance, Side, Snapshot } from './snapshot.ts';

/**
 * The decision for one request or call. It ends on that side, also when the placement changes under way.
 * @param share needed where `sharesTraffic`; else nothing depends on it.
 */
export function sideOf({ modules }: Snapshot, module: string, share: Share | undefined): Side {
  if (share?.side !== undefined) return share.side;
  const entry = modules[module];
  if (entry?.placement !== 'canary') return entry?.placement === 'service' ? 'service' : 'in-process';
  return share !== undefined && bucketOf(module, share.key) < entry.percent ? 'service' : 'in-process';
}

/**
 * The side of a call to another module. What an operator asked for holds where a process of that side can be asked:
 * whoever tries one module on its service need not have moved all that it calls.
 */
export function sideOfCall(snapshot: Snapshot, module: string, share: Share | undefined): Side {
  const here = share?.side !== 'service' || hasHealthy(snapshot, module);
  return sideOf(snapshot, module, here ? share : { key: share.key });
}

/** On the far side only because its share is: where nobody is left there, the near side may answer. */
export function mayFallBack({ modules }: Snapshot, module: string, share: Share | undefined): boolean {
  return modules[module]?.placement === 'canary' && share?.side === undefined;
}

/** Whether a process of the module can be asked. */
export function hasHealthy({ modules }: Snapshot, module: string): boolean {
  return modules[module]?.instances.some(({ healthy }) => healthy) ?? false;
}

let looked: Snapshot | undefined;
let some = false;
/** Until when there may be a request for which an operator asked for a side. */
let askedUntil = 0;
/** Longer than a request and all that it causes at once may take. */
const ASKED_MS = 60_000;

/**
 * Whether a decision may depend on a share: some module is in canary, a release gets a part of the keys, or an operator has
 * asked for a side.
 */
export function sharesTraffic(snapshot: Snapshot): boolean {
  if (snapshot !== looked) {
    looked = snapshot;
    some = Object.values(snapshot.modules).some(
      ({ placement, deploy }) => placement === 'canary' || sharesRelease(deploy),
    );
  }
  return some || (askedUntil !== 0 && isStillAsked());
}

/** An operator asks for a side: for a while this process looks for such a wish in what a request causes. */
export function noteSideAsked(): void {
  askedUntil = Date.now() + ASKED_MS;
}

function isStillAsked(): boolean {
  if (askedUntil < Date.now()) askedUntil = 0;
  return askedUntil !== 0;
}

/** Who may be asked on that side, by the picture of the moment: instances come and go while a request waits. */
export function candidatesOf(
  { modules, monoliths }: Snapshot,
  module: string,
  side: Side,
): readonly Instance[] {
  return side === 'service' ? (modules[module]?.instances ?? []) : monoliths;
}

/** Whether the module serves from services of its own: for work that belongs to a module and to no request. */
export function isExtracted({ modules }: Snapshot, module: string): boolean {
  return modules[module]?.placement === 'service';
}
