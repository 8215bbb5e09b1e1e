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

/** @param consolePath where the console is, which is for administrators as well; undefined: nowhere. */
export function keepAdminApart(app: FastifyInstance, sockets: AdminSockets, consolePath?: string): void {
  const paths = ['/admin', ...(consolePath === undefined ? [] : [consolePath])];
  const isAdmin = (path: string) =>
    paths.some((one) => path.startsWith(one) && /^(?:[/?]|$)/.test(path.slice(one.length)));
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
        ? `This port answers ${paths.join(' and ')} alone; all else is at the public one.`
        : 'Nothing answers at this path; /openapi.json lists what does.';
      refuseRequest(request, reply, libraryProblem('not-found', { detail }));
    }
  });
}

/** What no route is for may name one by another method. */
function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
