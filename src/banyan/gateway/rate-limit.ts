// The general limit per client address, by @fastify/rate-limit: counted in this process, without a round trip, before
// credentials and body are looked at; only what is no request at all (400) is refused earlier. IPv6 counts per /64,
// which is what one customer gets. Loopback and the networks of RATE_LIMIT_EXEMPT are not counted, at the price of one
// property of the socket. The library is loaded when the first address is to be counted (20 ms), which on most machines
// nobody's is; it lives in an instance that listens nowhere.
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { libraryProblem } from '../contract/problem.ts';
import type { Networks } from '../limits/networks.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface RateLimitOptions {
  /** Requests per second and address; 0: as many as they like. */
  readonly perSecond: number;
  readonly exempt: Networks;
  /** Some proxies are believed about their clients: then the address is not the socket's. */
  readonly proxied: boolean;
  readonly log: Pick<Logger, 'warn'>;
  readonly metrics: Metrics;
}

/** Undefined: nothing to wait for. Rejects with the 429 problem. */
export type RateLimit = (request: FastifyRequest, reply: FastifyReply) => Promise<void> | undefined;

/** Addresses whose count is kept: the ones that asked last. 150 bytes each. */
const ADDRESSES = 10_000;
const LOG_EVERY_MS = 60_000;

const exempted = Symbol('whether requests of this socket are not counted');

export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { perSecond, exempt, proxied, metrics } = options;
  let refused = 0;
  metrics.total(
    'banyan_rate_limited_total',
    'Requests refused because their address asked too often',
    [],
    () => [{ labels: {}, value: refused }],
  );
  if (perSecond === 0) return () => undefined;
  const told = logger(options);
  let counting: Promise<RateLimit> | undefined;
  let count: RateLimit | undefined;
  const onRefused = (address: string) => {
    refused += 1;
    told(address);
  };
  return (request, reply) => {
    const socket = request.raw.socket as { remoteAddress?: string; [exempted]?: boolean };
    socket[exempted] ??= exempt.has(socket.remoteAddress);
    const isExempt =
      proxied && request.raw.headers['x-forwarded-for'] !== undefined
        ? exempt.has(request.ip)
        : socket[exempted];
    if (isExempt) return undefined;
    if (count) return count(request, reply);
    counting ??= load(perSecond, onRefused).then((loaded) => {
      count = loaded;
      return loaded;
    });
    return counting.then((loaded) => loaded(request, reply));
  };
}

async function load(perSecond: number, onRefused: (address: string) => void): Promise<RateLimit> {
  const { default: rateLimit } = await import('@fastify/rate-limit');
  const problem = libraryProblem('too-many-requests', {
    detail: `Your address may ask ${perSecond} times a second; wait as long as Retry-After says.`,
  });
  const app = fastify();
  await app.register(rateLimit, {
    global: false,
    max: perSecond,
    timeWindow: 1000,
    cache: ADDRESSES,
    enableDraftSpec: true,
    onExceeded: ({ ip }) => onRefused(ip),
    errorResponseBuilder: () => problem,
  });
  await app.ready();
  return app.rateLimit() as unknown as RateLimit;
}

/** An address is told of once a minute: who floods us does not get to flood the log. */
function logger({ log, perSecond }: RateLimitOptions): (address: string) => void {
  const recent = new LRUCache<string, true>({ max: 1000, ttl: LOG_EVERY_MS });
  return (address) => {
    if (recent.has(address)) return;
    recent.set(address, true);
    log.warn({ address, perSecond }, 'an address asks too often: it gets 429');
  };
}
