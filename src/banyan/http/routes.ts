// The HTTP door: a contract's operations as Fastify routes over one dispatcher. Mounted on the gateway (with
// the placement constraint) and on the internal port (without); nothing of a route differs between the two.
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { authorise, type Dispatcher } from '../calls/dispatcher.ts';
import type { Download } from '../context/call.ts';
import type { Principal } from '../context/principal.ts';
import type { OperationSpec } from '../contract/contract.ts';
import { statusOfSuccess } from '../contract/status.ts';
import type { SideCounter } from '../telemetry/stats.ts';
import type { Admission } from './admission.ts';
import { createBinder, namedByClient } from './binding.ts';
import { noJsonBodies } from './body.ts';
import { counting } from './counted.ts';
import { HttpCall } from './http-call.ts';
import { bodyLimitOf } from './limits.ts';
import { readUpload, sendDownload } from './transfer.ts';

export interface RoutesOptions {
  readonly dispatcher: Dispatcher;
  readonly constraints?: Readonly<Record<string, unknown>>;
  /** Who is asking, once the port's own hook has checked the credentials. */
  readonly principalOf: (request: FastifyRequest) => Principal;
  /** Asked when all of a request is there. Absent: everything begins. */
  readonly admit?: Admission;
  /** Counts what became of the requests. Absent: whoever sent them here does. */
  readonly counterOf?: (operation: string) => SideCounter;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The module whose own route this is. */
    module?: string;
    /** Its operation. */
    operation?: string;
  }
}

export async function contractRoutes(app: FastifyInstance, options: RoutesOptions): Promise<void> {
  const { operations } = options.dispatcher.contract;
  for (const [name, spec] of Object.entries(operations)) {
    if (!spec.http) continue;
    if (!spec.upload) operationRoute(app, options, name, spec);
    else
      await app.register(async (scope) => {
        await scope.register(multipart);
        noJsonBodies(scope, spec);
        operationRoute(scope, options, name, spec);
      });
  }
}

function operationRoute(
  app: FastifyInstance,
  { dispatcher, constraints, principalOf, admit, counterOf }: RoutesOptions,
  name: string,
  spec: OperationSpec,
): void {
  const http = spec.http!;
  const bind = createBinder(spec);
  const rename = namedByClient(spec);
  app.route({
    method: http.method,
    url: http.path,
    config: { module: dispatcher.contract.module, operation: name },
    ...(constraints ? { constraints } : {}),
    bodyLimit: bodyLimitOf(spec),
    // Before the body is read: a stranger's is not looked at, and learns nothing.
    onRequest: [
      ...(counterOf ? [counting(counterOf(name))] : []),
      ...(spec.access === 'public' ? [] : [permit((request) => authorise(spec, principalOf(request)))]),
      ...(spec.upload ? [permit((request, reply) => app.uploadRoom.take(request, reply, spec))] : []),
    ],
    handler: async (request, reply) => {
      const input = bind(request);
      const upload = spec.upload ? await readUpload(request, spec.upload, bodyLimitOf(spec)) : undefined;
      const call = new HttpCall(request, reply, principalOf(request), upload);
      const dispatch = () => dispatcher.dispatch(name, input, call);
      const answered = admit ? admit(call.deadline, dispatch) : dispatch();
      return answer(request, reply, spec, await (rename ? answered.catch(rename) : answered));
    },
  });
}

/** The hook of a check that throws a Problem. */
export function permit(check: (request: FastifyRequest, reply: FastifyReply) => void): onRequestHookHandler {
  return (request, reply, done) => {
    try {
      check(request, reply);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}

/** What came of an operation, as the answer to the client who asked for it. */
export function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  spec: OperationSpec,
  output: unknown,
): FastifyReply {
  if (spec.download) return sendDownload(request, reply, output as Download);
  reply.code(statusOfSuccess(spec, output));
  if (output === null || output === undefined) return reply.send();
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(output));
}
