// What no route answers: 404 where nothing is, 405 with Allow where something else may be asked, 501 for a method that
// is known nowhere. Said before a body is read, and by the contracts, so that it is the same wherever a module is; what
// a service has beside its contract is not asked for.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { libraryProblem } from '../contract/problem.ts';
import { pathMatcher } from './lookup.ts';
import { refuseRequest } from './problems.ts';

export interface Route {
  readonly method: string;
  readonly path: string;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers a request that no route is for. */
    sayUnrouted(request: FastifyRequest, reply: FastifyReply): void;
  }
}

/** Methods that Fastify would read a body for, or ask a content type of, though no route has them. */
const bodiless = ['OPTIONS', 'QUERY'];

/** `routes` lists what an instance does not serve itself, or not always. */
export function noteRoutes(app: FastifyInstance, routes: () => readonly Route[]): void {
  const own: Route[] = [];
  app.addHook('onRoute', ({ method, url, constraints }) => {
    // What only a placement leads to is among `routes`, whatever the placement is.
    if (!constraints && !url.includes('*'))
      for (const one of [method].flat()) own.push({ method: one, path: url });
  });
  for (const method of bodiless) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  app.decorate('sayUnrouted', (request, reply) => {
    const all = [...own, ...routes()];
    if (request.raw.url === '*') {
      // `OPTIONS *` asks of the server as a whole.
      reply
        .code(204)
        .header('allow', methodsOf([...all, { method: 'OPTIONS' }]).join(', '))
        .send();
      return;
    }
    const matches = pathMatcher(request.url);
    const allowed = methodsOf(all.filter(({ path }) => matches(path)));
    const { method } = request;
    if (allowed.length > 0 && !allowed.includes(method)) {
      reply.header('allow', allowed.join(', '));
      const detail = `Allowed here: ${allowed.join(', ')}.`;
      refuseRequest(request, reply, libraryProblem('method-not-allowed', { detail }));
    } else if (method === 'OPTIONS' || methodsOf(all).includes(method)) {
      const detail = 'Nothing answers at this path; /openapi.json lists what does.';
      refuseRequest(request, reply, libraryProblem('not-found', { detail }));
    } else {
      const detail = `No path here takes the method ${method}.`;
      refuseRequest(request, reply, libraryProblem('not-implemented', { detail }));
    }
  });
  app.setNotFoundHandler((request, reply) => {
    app.sayUnrouted(request, reply);
    return reply;
  });
}

/** The last of a port's hooks that look at a request before its body. `isUnrouted` tells more of them apart. */
export function refuseUnrouted(
  app: FastifyInstance,
  isUnrouted: (request: FastifyRequest) => boolean = () => false,
): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404 || isUnrouted(request)) app.sayUnrouted(request, reply);
    else done();
  });
}

/** HEAD wherever GET is. */
function methodsOf(routes: readonly Pick<Route, 'method'>[]): string[] {
  const methods = new Set(routes.map(({ method }) => method));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}
