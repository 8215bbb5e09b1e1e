// What a client may not do to the gateway: smuggle a path past the router, set the headers that only hosts set to one
// another, speak to a service of its own connection, or begin a WebSocket. Runs before credentials and body are looked at.
import type { FastifyInstance } from 'fastify';
import { libraryProblem } from '../contract/problem.ts';
import { dropNamed } from '../http/hop-by-hop.ts';
import { sendProblem } from '../http/problems.ts';
import { SHARE_HEADER } from '../http/request-share.ts';
import { isHandshake } from '../http/upgrade.ts';
import type { Networks } from '../limits/networks.ts';

/** Headers that hosts send one another, and those that speak of a client's connection and are no use from here on. */
const dropped = new Set([
  'x-internal-token',
  'x-deadline-ms',
  SHARE_HEADER,
  'x-served-by',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'forwarded',
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);

/** What a proxy in front of us says of its client, where that proxy is one of those that are believed. */
const byProxies = new Set(['x-forwarded-for', 'x-forwarded-proto']);

// Dot segments in any spelling, two dots at either end of a segment, encoded slashes, backslashes, NUL, empty
// segments: no route needs them, and a proxy and a service that normalise differently would disagree on what was
// asked.
const SUSPICIOUS = /\/(?:\.|%2e)(?:\/|$)|\/(?:\.|%2e){2}|(?:\.|%2e){2}(?:\/|$)|\\|%2f|%5c|%00|\/\//i;

/** @param proxies whose x-forwarded-for and -proto stay: request.ip and request.protocol read them. */
export function protectPublicPort(app: FastifyInstance, proxies?: Networks): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    const { headers } = raw;
    const url = raw.url!;
    if (isHandshake(raw)) {
      const problem = libraryProblem('upgrade-refused', { detail: 'This port opens no WebSocket.' });
      // What follows may be frames already: nothing on this connection is read as a request any more.
      sendProblem(reply.header('connection', 'close, upgrade').header('upgrade', 'HTTP/1.1'), problem);
      return;
    }
    const query = url.indexOf('?');
    if (SUSPICIOUS.test(query < 0 ? url : url.slice(0, query))) {
      done(
        libraryProblem('malformed', {
          detail: 'The path has dots that lead elsewhere, an encoded slash, a backslash or an empty segment.',
        }),
      );
      return;
    }
    dropNamed(headers);
    for (const name in headers)
      if (dropped.has(name) && !(byProxies.has(name) && proxies?.has(raw.socket.remoteAddress)))
        delete headers[name];
    done();
  });
}
