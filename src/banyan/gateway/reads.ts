// A client's plain read of a module that serves elsewhere leaves as a call over the connection between the two
// hosts, and not as an HTTP request of its own: reads of many clients share a frame, where each would cost two writes
// and a request's parsing on both sides. Plain: a GET that the contract knows, answered in JSON, without a query, a body
// or anything to decode in its path. The client's own credentials go along and are verified there once more.
// Whatever does not come to an answer this way goes by the proxy, which knows every way to fail: a read may be repeated.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RemoteCalls } from '../calls/remote.ts';
import type { Contract, OperationSpec } from '../contract/contract.ts';
import { ModuleUnavailable, Problem } from '../contract/problem.ts';
import { type Binder, createBinder } from '../http/binding.ts';
import { REQUEST_DEADLINE_MS } from '../http/http-call.ts';
import { sendProblem } from '../http/problems.ts';
import { shareOf } from '../http/request-share.ts';
import { answer } from '../http/routes.ts';
import { sharesTraffic } from '../routing/side.ts';
import type { Placements } from '../routing/snapshot.ts';

/** True: it has taken the request, and calls `otherwise` if it has to give it back. */
export type Reads = (request: FastifyRequest, reply: FastifyReply, otherwise: () => void) => boolean;

interface Read {
  readonly name: string;
  readonly bind: Binder;
  /** Where in the path each parameter stands. */
  readonly params: readonly (readonly [name: string, at: number])[];
}

/** Segments that mean what they say to any parser; an id is shorter by far. */
const PLAIN = /^(?:\/[\w.~-]{1,200})+$/;

export function createReads(contract: Contract, remote: RemoteCalls, placements: Placements): Reads {
  const { module } = contract;
  const reads = readsOf(contract);

  const serves = (): boolean => {
    const instances = placements.current.modules[module]?.instances ?? [];
    return instances.some(({ healthy }) => healthy) && instances.every(({ doors }) => doors.includes('ws'));
  };

  return (request, reply, otherwise) => {
    const { operation, headers } = request;
    const read = operation && reads.get(operation);
    if (!read || request.side !== 'service' || !isPlain(request) || !serves()) return false;
    const input = inputOf(read, request);
    if (!input) return false;
    const client = {
      authorization: headers.authorization,
      deadline: Date.now() + REQUEST_DEADLINE_MS,
      traceparent: request.traceparent,
      side: request.side,
      share: sharesTraffic(placements.current) ? shareOf(request.raw) : undefined,
    };
    remote.forClient(contract, read.name, input, client, (error, output, servedBy) => {
      if (error !== undefined && (!(error instanceof Problem) || error instanceof ModuleUnavailable)) {
        otherwise();
        return;
      }
      // As the proxy has it: of what is not under /api nobody says where it was made.
      if (request.raw.url!.startsWith('/api/')) reply.header('x-served-by', servedBy);
      if (error === undefined) answer(request, reply, operation, output);
      else sendProblem(reply, error);
    });
    return true;
  };
}

function readsOf({ operations }: Contract): Map<OperationSpec, Read> {
  const reads = new Map<OperationSpec, Read>();
  for (const [name, spec] of Object.entries(operations)) {
    if (spec.http?.method !== 'GET' || spec.download || !spec.idempotent) continue;
    const params = spec.http.path
      .split('/')
      .flatMap((part, at) => (part.startsWith(':') ? [[part.slice(1), at] as const] : []));
    reads.set(spec, { name, bind: createBinder(spec), params });
  }
  return reads;
}

function isPlain({ raw }: FastifyRequest): boolean {
  const { method, url, headers } = raw;
  return (
    method === 'GET' &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    PLAIN.test(url!)
  );
}

/** Undefined where the request lacks something: the service says what. */
function inputOf({ bind, params }: Read, { raw, headers }: FastifyRequest): object | undefined {
  const parts = raw.url!.split('/');
  const named = Object.fromEntries(params.map(([name, at]) => [name, parts[at]]));
  try {
    return bind({ params: named, query: {}, headers, body: undefined } as unknown as FastifyRequest);
  } catch {
    return undefined;
  }
}
