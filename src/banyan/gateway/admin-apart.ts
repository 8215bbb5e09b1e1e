// Where /admin has a port of its own: it answers there and is not found elsewhere, and nothing else answers there but
// probes. Both ports are one server, so that what holds of one (limits, hygiene, draining) holds of the other.
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { libraryProblem } from '../contract/problem.ts';
import { refuseRequest } from '../http/problems.ts';

/** Which connections came in by the port of /admin. */
export interface AdminSockets {
  has(socket: Socket): boolean;
}

export function keepAdminApart(app: FastifyInstance, sockets: AdminSockets): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { url } = request.routeOptions;
    if (url?.startsWith('/health/')) {
      done();
      return;
    }
    const here = sockets.has(request.raw.socket);
    if (isAdmin(url ?? decoded(request.url)) === here) done();
    else {
      const detail = here
        ? 'This port answers /admin alone; all else is at the public one.'
        : 'Nothing answers at this path; /openapi.json lists what does.';
      refuseRequest(request, reply, libraryProblem('not-found', { detail }));
    }
  });
}

const isAdmin = (path: string) => /^\/admin(?:[/?]|$)/.test(path);

/** What no route is for may name one by another method. */
function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
