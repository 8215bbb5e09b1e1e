// Whatever goes wrong on an HTTP port leaves as an RFC 9457 problem: ours as they are, the framework's
// translated, everything else as a 500 that says nothing of our insides (they go to the log).
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isOutage, outageInWords } from '../context/outage.ts';
import { traceOf } from '../context/trace.ts';
import { type LibraryError, libraryProblem, Problem } from '../contract/problem.ts';
import { REFUSAL_HEADER, TokenRefused } from '../identity/hop.ts';
import { Shed } from './admission.ts';
import { dropRest, keepConnection } from './leftover.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** Why it is 401, 403 or 429, where that was said here. */
    refusal?: Problem;
    /** What it is, where it is one that was made here. */
    problem?: Problem;
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  reply.problem = problem;
  if (problem.status === 401 || problem.status === 403 || problem.status === 429) reply.refusal = problem;
  if (problem.retryAfter !== undefined) reply.header('retry-after', String(Math.ceil(problem.retryAfter)));
  if (problem.status === 401) {
    reply.header('www-authenticate', 'Bearer');
    if (problem instanceof TokenRefused) reply.header(REFUSAL_HEADER, problem.reason);
  }
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .send(JSON.stringify(problem.body));
}

/** The same words wherever the size is noticed: by the gateway, by a service, or while a file is read. */
export const BODY_TOO_LARGE = 'The body is larger than this route takes.';

export const TYPE_NOT_TAKEN = 'Send application/json (or multipart/form-data for an upload).';

const byCode: Readonly<Record<string, [LibraryError, string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed', 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed', 'The body is empty; send a JSON object.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed', 'The body is not as long as Content-Length says.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['too-large', BODY_TOO_LARGE],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', TYPE_NOT_TAKEN],
  FST_ERR_BAD_URL: ['malformed', 'The path is not a valid URL.'],
  FST_ERR_ASYNC_CONSTRAINT: ['internal', ''],
};

const byStatus: Readonly<Record<number, LibraryError>> = {
  400: 'malformed',
  404: 'not-found',
  408: 'timeout',
  413: 'too-large',
  414: 'malformed',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
  431: 'headers-too-large',
  502: 'bad-gateway',
  503: 'unavailable',
  504: 'deadline-exceeded',
};

export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code, statusCode, message } = (error ?? {}) as Partial<FastifyError>;
  const known = code === undefined ? undefined : byCode[code];
  if (known) return libraryProblem(known[0], { detail: known[1] });
  const kind = statusCode === undefined ? undefined : byStatus[statusCode];
  if (kind && statusCode !== undefined && statusCode < 500) return libraryProblem(kind, { detail: message });
  if (isOutage(error)) {
    return libraryProblem('unavailable', { detail: outageInWords(error), retryAfter: 2, cause: error });
  }
  return libraryProblem('internal', {
    detail: 'The failure was logged with the trace id of this response.',
    cause: error,
  });
}

/** Answers with the problem; what is left of the request's body is dropped. */
export function refuseRequest(request: FastifyRequest, reply: FastifyReply, problem: Problem): void {
  keepConnection(reply);
  if (request.raw.complete) sendProblem(reply, problem);
  else dropRest(request, reply, () => sendProblem(reply, problem));
}

/** Sets the error answer of a Fastify instance. */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    // A client that went away before the answer is no failure of ours.
    if (problem.status >= 500 && !reply.raw.destroyed && !(problem instanceof Shed)) {
      const about = { err: error, address: request.ip, ...traceOf(request.traceparent) };
      request.log.error(about, problem.body.title);
    }
    refuseRequest(request, reply, problem);
    return reply;
  });
}
