// The HTTP door: a contract's operations as Fastify routes over one dispatcher. Mounted on the gateway (with
// the placement constraint) and on the internal port (without); nothing of a route differs between the two.
import multipart from '@fastify/multipart';
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  RouteHandlerMethod,
} from 'fastify';
import type { Call, Download, Upload } from '../calls/call.ts';
import { authorise, type Dispatcher } from '../calls/dispatcher.ts';
import { adopt } from '../calls/trace.ts';
import type { OperationSpec } from '../contract/contract.ts';
import { escapePointer } from '../contract/pointer.ts';
import type { Principal } from '../contract/principal.ts';
import { kernelProblem } from '../contract/problem.ts';
import type { Admission } from './admission.ts';
import { createBinder, namedByClient } from './binding.ts';
import { jsonBodiesOf, noJsonBodies } from './body.ts';
import { bodyLimitOf } from './limits.ts';
import { readUpload, sendDownload } from './transfer.ts';

/** Milliseconds a request may take in all, calls to other modules included. */
export const REQUEST_DEADLINE_MS = 15_000;

export interface RoutesOptions {
  readonly dispatcher: Dispatcher;
  readonly constraints?: Readonly<Record<string, unknown>>;
  /** Who is asking, once the port's own hook has checked the credentials. */
  readonly principalOf: (request: FastifyRequest) => Principal;
  /** Asked when all of a request is there. Absent: everything begins. */
  readonly admit?: Admission;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** W3C traceparent of this request's span on this host. */
    traceparent: string;
    /** The operation that is asked for, where a route stands for many (a proxy). */
    operation: OperationSpec | undefined;
  }
  interface FastifyContextConfig {
    /** The module whose own route this is. */
    module?: string;
  }
}

/** Every request has a trace, its own or a new one, and says so in its answer. */
export function traceRequests(app: FastifyInstance): void {
  app.decorateRequest('traceparent', '');
  app.decorateRequest('operation', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    request.traceparent = adopt(request.headers.traceparent);
    reply.header('traceparent', request.traceparent);
    done();
  });
}

/** A call that came by HTTP. Signal and address are made when somebody asks for them: few do, and each costs a microsecond. */
class HttpCall implements Call {
  readonly principal: Principal;
  readonly deadline: number;
  readonly traceparent: string;
  readonly upload: Upload | undefined;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  #controller: AbortController | undefined;

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    principal: Principal,
    upload: Upload | undefined,
  ) {
    this.principal = principal;
    this.deadline = deadlineOf(request, upload ? 0 : reply.elapsedTime);
    this.traceparent = request.traceparent;
    this.upload = upload;
    this.#request = request;
    this.#reply = reply;
  }

  get address(): string {
    return this.#request.ip;
  }

  /** Fires when the client went away before the answer. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      const { raw } = this.#reply;
      if (raw.destroyed) controller.abort();
      raw.once('close', () => raw.writableFinished || controller.abort());
      this.#controller = controller;
    }
    return this.#controller.signal;
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
  { dispatcher, constraints, principalOf, admit }: RoutesOptions,
  name: string,
  spec: OperationSpec,
): void {
  const http = spec.http!;
  const bind = createBinder(spec);
  const rename = namedByClient(spec);
  app.route({
    method: http.method,
    url: http.path,
    config: { module: dispatcher.contract.module },
    ...(constraints ? { constraints } : {}),
    bodyLimit: bodyLimitOf(spec),
    // Before the body is read: a stranger's is not looked at, and learns nothing.
    onRequest: [
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
  const http = spec.http!;
  const status = http.statusOf ? http.statusOf(output) : (http.status ?? 200);
  reply.code(status);
  if (output === null || output === undefined) return reply.send();
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(output));
}

/** From the moment its headers were there; an upload, which has a minute to arrive, from when it is there. */
function deadlineOf(request: FastifyRequest, sinceMs: number): number {
  const left = Number(request.headers['x-deadline-ms']);
  return Date.now() - sinceMs + (left > 0 && left < REQUEST_DEADLINE_MS ? left : REQUEST_DEADLINE_MS);
}

/** `POST /calls/<module>/<operation>`: the HTTP door for other modules, in any language. Internal port only. */
export function moduleCalls(
  app: FastifyInstance,
  dispatchers: ReadonlyMap<string, Dispatcher>,
  callerOf: (request: FastifyRequest) => string,
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
      throw kernelProblem('not-found', {
        detail: `This host has no operation ${escapePointer(module)}.${escapePointer(operation)} for calls.`,
      });
    }
    // The token says which host asks; a host that runs several modules says which of them.
    const caller = request.headers['x-caller'];
    const output = await dispatcher.dispatch(operation, request.body ?? {}, {
      principal: { kind: 'module', name: typeof caller === 'string' ? caller : callerOf(request) },
      deadline: deadlineOf(request, reply.elapsedTime),
      traceparent: request.traceparent,
    });
    return reply
      .header('content-type', 'application/json; charset=utf-8')
      .send(JSON.stringify(output ?? null));
  };
  app.register(async (scope) => {
    jsonBodiesOf(scope, (request) => asked(request).spec);
    scope.post('/calls/:module/:operation', answerCall);
  });
}
