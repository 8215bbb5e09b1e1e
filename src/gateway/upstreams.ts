// Which process gets the next request of a module: the one with the fewest in flight among those that the
// placement names. One that refused a connection is out at once and comes back when it answers its health
// check. It also counts what this gateway has on its way to a module's service: the drain waits for that.
import { request as httpRequest } from 'undici';
import type { Endpoint, Placement, Placements } from '../kernel/placement/snapshot.ts';

export interface Upstreams {
  /**
   * The endpoint for the next request on that side; undefined when none of them can be used. `tried` are left
   * out. The side is the caller's, since a request ends where it began, also when the placement has changed.
   */
  pick(module: string, side: Placement, tried?: ReadonlySet<string>): Endpoint | undefined;
  /** One more request on its way to this endpoint; call the answer once, when it is over. */
  begin(endpoint: Endpoint): () => void;
  /** The endpoint refused a connection. */
  refused(endpoint: Endpoint): void;
  /** A request was routed to the module's service side; call the answer when it is over, body and all. */
  routed(module: string): () => void;
  /** Requests of the module that were routed to its service side and are not over. */
  inflight(module: string): number;
  close(): void;
}

const CHECK_EVERY_MS = 200;

export function createUpstreams(placements: Placements): Upstreams {
  const onTheWay = new Map<string, number>();
  const routedTo = new Map<string, number>();
  const out = new Map<string, Endpoint>();
  let turn = 0;

  const check = async () => {
    await Promise.all(
      [...out.values()].map(async (endpoint) => {
        if (await answers(endpoint)) out.delete(endpoint.host);
      }),
    );
  };
  let checking = false;
  const timer = setInterval(() => {
    if (out.size === 0 || checking) return;
    checking = true;
    forgetTheGone(out, placements);
    check().finally(() => {
      checking = false;
    });
  }, CHECK_EVERY_MS);
  timer.unref();

  return {
    pick(module, side, tried) {
      const { modules, monoliths } = placements.current;
      const candidates = side === 'service' ? (modules[module]?.instances ?? []) : monoliths;
      const { length } = candidates;
      let best: Endpoint | undefined;
      let least = Number.POSITIVE_INFINITY;
      // Those with equally few take turns, or a lone client would only ever see the first.
      turn += 1;
      for (let i = 0; i < length; i += 1) {
        const endpoint = candidates[(turn + i) % length]!;
        if (!endpoint.healthy || out.has(endpoint.host) || tried?.has(endpoint.host)) continue;
        const load = onTheWay.get(endpoint.host) ?? 0;
        if (load < least) {
          least = load;
          best = endpoint;
        }
      }
      return best;
    },
    begin: (endpoint) => count(onTheWay, endpoint.host),
    refused: (endpoint) => {
      out.set(endpoint.host, endpoint);
    },
    routed: (module) => count(routedTo, module),
    inflight: (module) => routedTo.get(module) ?? 0,
    close: () => clearInterval(timer),
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

async function answers(endpoint: Endpoint): Promise<boolean> {
  try {
    const answer = await httpRequest(`${endpoint.url}/health/ready`, {
      headersTimeout: 1000,
      bodyTimeout: 1000,
    });
    await answer.body.dump();
    return answer.statusCode === 200;
  } catch {
    return false;
  }
}

function forgetTheGone(out: Map<string, Endpoint>, placements: Placements): void {
  const { modules, monoliths } = placements.current;
  const known = new Set(
    [...Object.values(modules).flatMap((entry) => entry.instances), ...monoliths].map((one) => one.host),
  );
  for (const host of out.keys()) if (!known.has(host)) out.delete(host);
}
