// The far side of the switch: a module's prefix behind @fastify/http-proxy, to whichever of its processes is
// chosen at that moment. Guarantees: a request ends on the side that it was routed to (sides.ts), and is whole before it goes
// anywhere (forwarding.ts). Here is what is mounted, and what http-proxy and reply-from are told.
import httpProxy from '@fastify/http-proxy';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { passedBodies } from '../http/body.ts';
import { count, whenOver } from '../http/counted.ts';
import type { Headers } from '../http/hop-by-hop.ts';
import { keepConnection } from '../http/leftover.ts';
import type { SideCounter } from '../telemetry/stats.ts';
import { Forwarding, type ForwardingOptions, type FromOptions } from './forwarding.ts';
import type { Shedding } from './load/shedding.ts';
import type { Reads } from './reads.ts';
import { switchOf } from './switch.ts';
import type { UpstreamConnections } from './upstream-connections.ts';

export interface ProxyOptions extends ForwardingOptions {
  /** The beginning of its paths: `/api/<module>`, or one under /admin. */
  readonly prefix: string;
  readonly connections: UpstreamConnections;
  readonly reads: Reads;
  /** Refuses who may not call what they ask for. */
  readonly guard: onRequestHookHandler;
  /** Throws where too much is under way; answers what ends the turn of this request. */
  readonly begins: Shedding['begins'];
  /** Where a request is counted; undefined: it is for no operation. */
  readonly counterOf: (request: FastifyRequest) => SideCounter | undefined;
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

export async function mountProxy(app: FastifyInstance, options: ProxyOptions): Promise<void> {
  const { module, prefix, connections, reads, guard, begins, counterOf } = options;
  await app.register(async (scope) => {
    scope.addHook('onRequest', (request, reply, done) => {
      whenOver(reply, () => {
        const counter = request.forwarding?.again ? undefined : counterOf(request);
        if (counter) count(counter, reply);
      });
      done();
    });
    scope.addHook('onRequest', guard);
    passedBodies(scope);
    await scope.register(httpProxy, {
      prefix,
      rewritePrefix: prefix,
      // Neither is asked: the connections know whom, and the target goes out as it came.
      upstream: 'http://chosen.invalid',
      preRewrite: () => prefix,
      undici: connections,
      config: { proxied: module },
      disableRequestLogging: true,
      httpMethods: methods,
      constraints: { [switchOf(module)]: 'service' },
      // reply-from would repeat a GET that got 503 up to ten times; 0 reads as unset, an empty list does not.
      retryMethods: [],
      proxyPayloads: false,
      replyOptions: hooks,
      // Returns nothing: Fastify would wait for a reply that is returned, which costs some 40 us.
      handler: (request: FastifyRequest, reply: FastifyReply, _dest: string, from: FromOptions): void => {
        request.endTurn = begins(request, reply);
        if (reply.raw.destroyed) request.endTurn?.();
        const forward = () => {
          request.forwarding = new Forwarding(request, reply, from, options);
          request.forwarding.send();
        };
        if (!reads(request, reply, forward)) forward();
      },
    } as unknown as Parameters<typeof httpProxy>[1]);
  });
}

/** What reply-from asks of the request at hand. */
const hooks = {
  rewriteRequestHeaders: (request: FastifyRequest, headers: Headers) =>
    request.forwarding!.requestHeaders(headers),
  rewriteHeaders: (headers: Headers, request: FastifyRequest) => request.forwarding!.answerHeaders(headers),
  onResponse: (_request: FastifyRequest, reply: FastifyReply, { stream }: { stream: unknown }) => {
    keepConnection(reply);
    reply.send(stream);
  },
  onError: ({ request }: FastifyReply, { error }: { error: Error }) => request.forwarding!.failed(error),
} as unknown as FromOptions;
