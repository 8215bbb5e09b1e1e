// What the page asks under /admin goes on to the host's own router as the request that a script would have sent, with the
// bearer token that is in the session: the same checks, the same answer, in every placement. Guarantee: who changed something
// is the operator whose token it is, and beside it the name that was given at sign-in, whatever the request says.
import type { FastifyInstance } from 'fastify';
import type { ConsoleParts } from './parts.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

export function registerAdmin(app: FastifyInstance, { prefix, answer }: ConsoleParts): void {
  const before = `${prefix}/api`.length;
  app.route({
    method: METHODS,
    url: `${prefix}/api/admin/*`,
    // Before the body is read: whoever answers reads it.
    onRequest: (request, reply) => {
      const { raw, session } = request;
      raw.url = raw.url!.slice(before);
      delete raw.headers.cookie;
      raw.headers.authorization = `Bearer ${session.token}`;
      raw.headers['x-changed-by'] = session.name;
      reply.hijack();
      answer(raw, reply.raw);
    },
    handler: () => {
      throw new Error('it was handed on');
    },
  });
}
