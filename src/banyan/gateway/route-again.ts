// A request that was routed to a service, once more through the router of this host, whole: for a module that is near
// again, or of whose services nobody answers a share. It is answered as if it had come just now, in the same trace; its
// client notices nothing.
import type { FastifyReply, FastifyRequest, InjectOptions } from 'fastify';
import type { Headers } from '../http/hop-by-hop.ts';
import { cleanAnswer } from './answer-headers.ts';
import { onNearSide } from './routed.ts';

export async function routeAgain(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const body = request.body as Buffer | undefined;
  const asked = { ...request.headers } as Record<string, string>;
  delete asked['transfer-encoding'];
  asked.traceparent = request.traceparent;
  const again: InjectOptions = {
    method: request.method as 'GET',
    url: request.raw.url!,
    headers: asked,
    remoteAddress: request.ip,
    ...(body && body.length > 0 ? { payload: body } : {}),
  };
  const answer = await onNearSide(() => request.server.inject(again));
  const headers = cleanAnswer(answer.headers as Headers);
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) reply.header(name, value);
  reply.code(answer.statusCode).send(answer.rawPayload);
}
