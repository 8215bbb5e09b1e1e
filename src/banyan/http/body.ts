// Reads the body of a request, on every port alike: no byte beyond the limit of the operation, no more values than any
// operation takes, UTF-8, and JSON without names that change what an object is. What is only passed on is read by the
// same rules, so that the gateway refuses what a service would. It must not know what a body means.

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OperationSpec } from '../contract/contract.ts';
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { invalid } from '../contract/validation.ts';
import { hasTooManyValues, MAX_VALUES } from '../contract/value-count.ts';
import { bodyLimitOf, JSON_BODY_LIMIT } from './limits.ts';
import { BODY_TOO_LARGE, TYPE_NOT_TAKEN } from './problems.ts';

const JSON_TYPE = 'application/json';

type Done = (error: Error | null, body?: unknown) => void;
type Parse = (request: FastifyRequest, body: string, done: Done) => void;

/** JSON and nothing else, up to what the route says; an empty body is no error where none is needed. */
export function jsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error') as Parse;
  app.removeContentTypeParser([JSON_TYPE, 'text/plain']);
  const options = { parseAs: 'buffer', bodyLimit: JSON_BODY_LIMIT } as const;
  app.addContentTypeParser(JSON_TYPE, options, (request, body: Buffer, done) =>
    fromJson(parse, request, body, done),
  );
}

/** The same where one route stands for many operations, each with its own limit. */
export function jsonBodiesOf(
  app: FastifyInstance,
  operationOf: (request: FastifyRequest) => OperationSpec | undefined,
): void {
  const parse = app.getDefaultJsonParser('error', 'error') as Parse;
  app.removeContentTypeParser([JSON_TYPE, 'text/plain']);
  app.addContentTypeParser(JSON_TYPE, (request, payload, done) =>
    readBody(payload, request, bodyLimitOf(operationOf(request)), (error, body) => {
      if (error) done(error);
      else fromJson(parse, request, body!, done);
    }),
  );
}

/** For the routes of an upload: JSON is refused before any of it is read, whatever the limit of the file is. */
export function noJsonBodies(app: FastifyInstance, spec: OperationSpec): void {
  app.removeContentTypeParser(JSON_TYPE);
  app.addContentTypeParser(JSON_TYPE, (request, _payload, done) => done(typeRefused(spec, request)));
}

/** Bodies that are passed on as they came, if the operation takes any of their type; see the route that stands for it. */
export function passedBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (request, payload, done) => {
    const { operation, mediaType } = request;
    const expected = operation?.upload ? 'multipart/form-data' : JSON_TYPE;
    if (mediaType === expected) readBody(payload, request, bodyLimitOf(operation), done);
    else if (operation) done(typeRefused(operation, request));
    else {
      // Nobody will look at it: there is no such route.
      payload.resume();
      done(null, Buffer.alloc(0));
    }
  });
}

/** Nothing of it was read: by Content-Length alone it is too large, whatever it is. */
function typeRefused(spec: OperationSpec, { headers, mediaType }: FastifyRequest): Problem {
  if (!spec.upload || mediaType !== JSON_TYPE)
    return libraryProblem('unsupported-media-type', { detail: TYPE_NOT_TAKEN });
  if (Number(headers['content-length']) > bodyLimitOf(spec)) return tooLarge();
  return libraryProblem('unsupported-media-type', { detail: uploadWanted(spec.upload.field) });
}

export const uploadWanted = (field: string): string =>
  `Send multipart/form-data with one file in the field "${field}".`;

function fromJson(parse: Parse, request: FastifyRequest, body: Buffer, done: Done): void {
  if (body.length === 0) done(null, undefined);
  else if (hasTooManyValues(body))
    done(invalid([{ path: '', message: `has more than ${MAX_VALUES} values` }]));
  else if (isUtf8(body)) parse(request, body.toString(), done);
  else done(libraryProblem('malformed', { detail: 'The body is not UTF-8.' }));
}

const tooLarge = () => libraryProblem('too-large', { detail: BODY_TOO_LARGE });

/** As Fastify reads a body, but with a limit of the request's own. */
function readBody(
  payload: IncomingMessage,
  { headers }: FastifyRequest,
  limit: number,
  done: (error: Error | null, body?: Buffer) => void,
): void {
  const promised = Number(headers['content-length']);
  if (promised > limit) {
    done(tooLarge());
    return;
  }
  const parts: Buffer[] = [];
  let length = 0;
  const end = (error: Error | null, body?: Buffer) => {
    payload.off('data', take).off('end', whole).off('error', end);
    done(error, body);
  };
  const take = (part: Buffer) => {
    length += part.length;
    if (length > limit) end(tooLarge());
    else parts.push(part);
  };
  const whole = () => {
    const short = headers['content-length'] !== undefined && length !== promised;
    if (short)
      end(libraryProblem('malformed', { detail: 'The body is not as long as Content-Length says.' }));
    else end(null, Buffer.concat(parts, length));
  };
  payload.on('data', take).on('end', whole).on('error', end);
  payload.resume();
}
