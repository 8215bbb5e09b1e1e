// Which process gets the next request of a module: the least busy among those of its side, and of the release that its key is for
// where one is deployed beside another. One that refused a connection,
// or the internal token, is held out at once (held-out.ts) and comes back by its sign of life. It also counts what this
// gateway has on its way to a module's service: the drain waits for that.
import { LRUCache } from 'lru-cache';
import type { Share } from '../context/share.ts';
import type { HeldOut as HeldOutReport } from '../placement/host.ts';
import { leastBusy } from '../routing/balance.ts';
import { preferenceOf } from '../routing/release.ts';
import { candidatesOf } from '../routing/side.ts';
import type { Instance, Side } from '../routing/snapshot.ts';
import { createHeldOut, type HeldOutOptions } from './held-out.ts';

export interface Upstreams {
  /**
   * The instance for the next request on that side; undefined when none of them can be used. `tried` are left
   * out. The side is the caller's, since a request ends where it began, also when the placement has changed. `share` is
   * needed where `sharesTraffic` (routing/side.ts).
   */
  pick(
    module: string,
    side: Side,
    tried?: ReadonlySet<string>,
    share?: Share | undefined,
  ): Instance | undefined;
  /** One more request on its way to this instance; call the answer once, when it is over. */
  begin(instance: Instance): () => void;
  /** The instance refused a connection, or this host's internal token; in words for the operator. */
  refused(instance: Instance, reason: string): void;
  /** Whether it does not let this host in; why not, in words. `words`: it said so itself, in an answer. */
  refusal(instance: Instance, words: string | undefined): Promise<string | undefined>;
  /** Why processes of the module are held out here; empty when none is. */
  why(module: string): string;
  /** Whether it is worth a line in the log: the same was not said for a minute. */
  isNews(said: string): boolean;
  /** What is held out, by host. */
  held(): Readonly<Record<string, HeldOutReport>>;
  /** A request was routed to the module's service side; call the answer when it is over, body and all. */
  routed(module: string): () => void;
  /** Requests of the module that were routed to its service side and are not over. */
  inflight(module: string): number;
  close(): void;
}

const SAY_AGAIN_MS = 60_000;

export function createUpstreams(options: HeldOutOptions): Upstreams {
  const { placements } = options;
  const onTheWay = new Map<string, number>();
  const routedTo = new Map<string, number>();
  const out = createHeldOut(options);
  const told = new LRUCache<string, true>({ max: 1000, ttl: SAY_AGAIN_MS });
  let turn = 0;

  return {
    pick(module, side, tried, share) {
      turn += 1;
      const { current } = placements;
      const preference = preferenceOf(current, module, side, share);
      return leastBusy(candidatesOf(current, module, side), turn, ({ host, healthy, release }) =>
        !healthy || out.has(host) || tried?.has(host)
          ? Number.POSITIVE_INFINITY
          : (onTheWay.get(host) ?? 0) + (preference?.(release) ?? 0),
      );
    },
    begin: (instance) => count(onTheWay, instance.host),
    refused: (instance, reason) => out.hold(instance, reason),
    async refusal(instance, words) {
      const refusal = words ?? (await out.ask(instance));
      if (refusal) out.refused(instance, refusal);
      return refusal;
    },
    why(module) {
      const { modules, monoliths } = placements.current;
      const all = [...(modules[module]?.instances ?? []), ...monoliths];
      const reasons = all.flatMap(({ host }) => out.reason(host) ?? []);
      return reasons.length > 0 ? ` Held out here: ${reasons.join('; ')}.` : '';
    },
    isNews(said) {
      if (told.has(said)) return false;
      told.set(said, true);
      return true;
    },
    held: () => out.report(),
    routed: (module) => count(routedTo, module),
    inflight: (module) => routedTo.get(module) ?? 0,
    close: () => out.close(),
  };
}

/** Adds one; the answer takes it away again, once however often it is called. */
function count(counts: Map<string, number>, key: string): () => void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
  let over = false;
  return () => {
    if (over) return;
    over = true;
    const left = counts.get(key)! - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  };
}
