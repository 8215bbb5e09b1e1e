// What the public port says of every answer for browsers and caches, however the answer comes about: by a route, by
// another process, as a problem, or on a bare socket. Set directly: @fastify/helmet builds its middleware anew for each
// request, 35 us and more; the pages, which need a policy of their own, have it (banyan/gateway/docs.ts).
import type { FastifyReply, FastifyRequest } from 'fastify';

/** JSON is no page: nothing of it runs, and nobody frames it. */
const securityHeaders: readonly (readonly [string, string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['referrer-policy', 'no-referrer'],
];

/** A year, for browsers that came by TLS. Not for subdomains: they are not ours to speak for. */
const HSTS = 'max-age=31536000';

/** @param proxied a proxy may have ended TLS: whether it did is asked per request, by the networks that are trusted. */
export function setSecurityHeaders(request: FastifyRequest, reply: FastifyReply, proxied: boolean): void {
  for (const [name, value] of securityHeaders) reply.header(name, value);
  // What comes of credentials, or of anything but reading, is somebody's own: a session, a registration, a parcel.
  const { method, headers } = request.raw;
  if (headers.authorization !== undefined || (method !== 'GET' && method !== 'HEAD'))
    reply.header('cache-control', 'no-store');
  if (proxied && request.protocol === 'https') reply.header('strict-transport-security', HSTS);
}

/** The same for an answer that is written by hand. */
export const rawSecurityHeaders: readonly string[] = [
  ...securityHeaders.map(([name, value]) => `${name}: ${value}`),
  'cache-control: no-store',
];
