// What a client may not do to the gateway: smuggle a path past the router, set the headers that only hosts
// set to one another, or upgrade a connection. Runs before everything else on the public port.
import type { FastifyInstance } from 'fastify';
import { kernelProblem } from '../kernel/contract/problem.ts';

/** Headers that hosts send one another; a client's own are dropped. */
const internalHeaders = [
  'x-internal-token',
  'x-deadline-ms',
  'x-served-by',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'forwarded',
];

// Dot segments in any spelling, encoded slashes, backslashes, NUL, empty segments: no route needs them, and a
// proxy and a service that normalise differently would disagree on what was asked.
const suspicious = /(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|$)|\\|%2f|%5c|%00|\/\//i;

export function protectPublicPort(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { url, headers } = request.raw;
    const path = url!.split('?', 1)[0]!;
    if (suspicious.test(path)) {
      done(
        kernelProblem('malformed', {
          detail: 'The path has a dot segment, an encoded slash, a backslash or an empty segment.',
        }),
      );
      return;
    }
    for (const name of internalHeaders) if (headers[name] !== undefined) delete headers[name];
    done();
  });
  // Fastify's hooks do not run for an upgrade, so it is refused where Node hands it over.
  app.server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', () =>
      socket.destroy(),
    );
  });
}
