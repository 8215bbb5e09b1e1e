// A request that was routed to a service, once more through the router of this host, whole: for a module that is near
// again. It is answered as if it had come just now; its client notices nothing.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Headers } from '../http/hop-by-hop.ts';
import { cleanAnswer } from './answer-headers.ts';

export async function routeAgain(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const body = request.body as Buffer | undefined;
  const asked = { ...request.headers } as Record<string, string>;
  delete asked['transfer-encoding'];
  const answer = await request.server.inject({
    method: request.method as 'GET',
    url: request.raw.url!,
    headers: asked,
    remoteAddress: request.ip,
    ...(body && body.length > 0 ? { payload: body } : {}),
  });
  const headers = cleanAnswer(answer.headers as Headers);
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) reply.header(name, value);
  reply.code(answer.statusCode).send(answer.rawPayload);
}
