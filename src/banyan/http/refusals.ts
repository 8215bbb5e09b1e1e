// What a port refuses, in the security log: tokens that are nobody's, operations that are not for who asks, limits that
// were hit. Only what is refused here: what a service said is written down there. It is told when the answer is out, so
// that no request waits for it.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { actorOf } from '../calls/acts.ts';
import type { Problem } from '../contract/problem.ts';
import { TokenRefused } from '../identity/hop.ts';
import { type InternalCaller, MONOLITH } from '../identity/internal-token.ts';
import type { SecurityEvent, SecurityLog } from '../telemetry/security-log.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The host that the internal token is of; on the internal port alone. */
    caller?: InternalCaller;
  }
}

/** How the type of a problem of the library begins; a module's has the module's name. */
const LIBRARY = 'urn:banyan:problem:kernel:';

export function noteRefusals(app: FastifyInstance, security: SecurityLog): void {
  app.addHook('onResponse', (request, reply, done) => {
    if (reply.refusal !== undefined) {
      const what = kindOf(request, reply.refusal);
      if (what !== undefined) security.write({ ...what, ...about(request, reply) });
    }
    done();
  });
}

function kindOf(
  { tokenRefused, caller, routeOptions }: FastifyRequest,
  refusal: Problem,
): Pick<SecurityEvent, 'event' | 'outcome'> | undefined {
  if (refusal instanceof TokenRefused) return { event: 'token.internal', outcome: 'refused' };
  // A service, by its own key: what it asked is not its to ask.
  if (caller && caller.caller !== MONOLITH)
    return refusal.status === 403 ? { event: 'service.refused', outcome: 'refused' } : undefined;
  const outcome = refusal.status === 429 ? 'limited' : 'refused';
  if (tokenRefused) return { event: 'token.bearer', outcome };
  if (refusal.status === 429) return { event: 'limit.hit', outcome };
  // A module's own 403 is about its business (a wrong present password), which it tells itself.
  const ours = refusal.body.type.startsWith(LIBRARY);
  if ((refusal.status === 403 && ours) || routeOptions.url?.startsWith('/admin'))
    return { event: 'operation.refused', outcome };
  return undefined;
}

function about(request: FastifyRequest, { refusal }: FastifyReply): Omit<SecurityEvent, 'event' | 'outcome'> {
  const { method, principal, caller, operation, routeOptions, ip, traceparent } = request;
  return {
    actor: principal
      ? actorOf(principal)
      : caller
        ? { kind: 'service', name: caller.caller }
        : { kind: 'anonymous' },
    address: ip,
    trace: traceparent,
    target: `${method} ${operation?.http?.path ?? routeOptions.url ?? 'a path without a route'}`,
    reason: refusal!.message,
  };
}
