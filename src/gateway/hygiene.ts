// What a client may not do to the gateway: smuggle a path past the router, set the headers that only hosts
// set to one another, or upgrade a connection. Runs before everything else on the public port.
import type { FastifyInstance } from 'fastify';
import { kernelProblem } from '../kernel/contract/problem.ts';
import type { Networks } from '../kernel/http/networks.ts';
import { refuse } from '../kernel/http/refuse.ts';

/**
 * Headers that hosts send one another, and those that speak of the client's own connection and end here: a client
 * could name any header in Connection, for the proxy to leave out. A client's own are dropped.
 */
const dropped = new Set([
  'x-internal-token',
  'x-deadline-ms',
  'x-served-by',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'forwarded',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
]);

/** What a proxy in front of us says of its client, where that proxy is one of those that are believed. */
const byProxies = new Set(['x-forwarded-for', 'x-forwarded-proto']);

// Dot segments in any spelling, two dots at either end of a segment, encoded slashes, backslashes, NUL, empty
// segments: no route needs them, and a proxy and a service that normalise differently would disagree on what was
// asked.
const suspicious = /\/(?:\.|%2e)(?:\/|$)|\/(?:\.|%2e){2}|(?:\.|%2e){2}(?:\/|$)|\\|%2f|%5c|%00|\/\//i;

/** @param proxies whose x-forwarded-for and -proto stay: request.ip and request.protocol read them. */
export function protectPublicPort(app: FastifyInstance, proxies?: Networks): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { url, headers } = request.raw;
    const query = url!.indexOf('?');
    if (suspicious.test(query < 0 ? url! : url!.slice(0, query))) {
      done(
        kernelProblem('malformed', {
          detail: 'The path has dots that lead elsewhere, an encoded slash, a backslash or an empty segment.',
        }),
      );
      return;
    }
    for (const name in headers)
      if (dropped.has(name) && !(byProxies.has(name) && proxies?.has(request.raw.socket.remoteAddress)))
        delete headers[name];
    done();
  });
  // Fastify's hooks do not run for an upgrade, so it is refused where Node hands it over.
  app.server.on('upgrade', (_request, socket) => {
    refuse(socket, kernelProblem('upgrade-refused', { detail: 'This port upgrades no connection.' }));
  });
}
