// The HTTP door for other modules, in any language: every operation of the modules that run here, at one path, on the
// internal port alone. What is uploaded or downloaded is for clients, and has no place here.
import type { FastifyInstance, FastifyRequest, RouteHandlerMethod } from 'fastify';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { Call, Flow } from '../context/call.ts';
import { escapePointer } from '../contract/pointer.ts';
import { libraryProblem } from '../contract/problem.ts';
import type { InternalCaller } from '../identity/internal-token.ts';
import type { Rights } from '../identity/rights.ts';
import { jsonBodiesOf } from './body.ts';
import { deadlineOf } from './http-call.ts';
import { sharePassedOn } from './request-share.ts';

/**
 * `POST /calls/<module>/<operation>`.
 * @param callerOf which host asks, once the port's own hook has checked its token. @param rights what it may ask.
 */
export function moduleCalls(
  app: FastifyInstance,
  dispatchers: ReadonlyMap<string, Dispatcher>,
  callerOf: (request: FastifyRequest) => InternalCaller,
  rights: Rights,
): void {
  const asked = ({ params }: FastifyRequest) => {
    const { module, operation } = params as { module: string; operation: string };
    const dispatcher = dispatchers.get(module);
    const spec = dispatcher?.has(operation) ? dispatcher.contract.operations[operation] : undefined;
    return { module, operation, dispatcher, spec };
  };
  const answerCall: RouteHandlerMethod = async (request, reply) => {
    const { module, operation, dispatcher, spec } = asked(request);
    if (!dispatcher || !spec || spec.upload || spec.download) {
      throw libraryProblem('not-found', {
        detail: `This host has no operation ${escapePointer(module)}.${escapePointer(operation)} for calls.`,
      });
    }
    const who = callerOf(request);
    // The token says which host asks; a host that runs several modules says which of them.
    const said = request.headers['x-caller'];
    const name = typeof said === 'string' ? said : who.caller;
    const refused = rights.refusalOfCall(who, module) ?? rights.refusalOfName(who, name);
    if (refused) throw refused;
    const share = sharePassedOn(request.raw);
    const call = {
      principal: { kind: 'module', name },
      deadline: deadlineOf(request, reply.elapsedTime),
      traceparent: request.traceparent,
      ...(share ? { share } : {}),
    } satisfies Call & Flow;
    const output = await dispatcher.dispatch(operation, request.body ?? {}, call);
    return reply
      .header('content-type', 'application/json; charset=utf-8')
      .send(JSON.stringify(output ?? null));
  };
  app.register(async (scope) => {
    jsonBodiesOf(scope, (request) => asked(request).spec);
    scope.post('/calls/:module/:operation', answerCall);
  });
}
