// An HTTP request becomes the one flat input of an operation: path, headers, then query or body.
// The same function serves the gateway's routes and a service's, so a request means the same at both.
// It only places values; whether they fit is the dispatcher's to say.
import type { FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { OperationSpec } from '../contract/contract.ts';
import { escapePointer } from '../contract/pointer.ts';
import { Problem } from '../contract/problem.ts';
import { invalid } from '../contract/validation.ts';

export type Binder = (request: FastifyRequest) => Record<string, unknown>;

/** Names that are not known: a few say enough. */
const MAX_NAMED = 10;

/** Prepares the binding of one operation that has an HTTP route. */
export function createBinder(spec: OperationSpec): Binder {
  const http = spec.http!;
  const properties = spec.input.properties as Record<string, TSchema>;
  const inPath = [...http.path.matchAll(/:(\w+)/g)].map((match) => match[1]!);
  const inHeader = Object.entries(spec.headers ?? {});
  const required = new Set<string>((spec.input as { required?: string[] }).required ?? []);
  const elsewhere = new Set([...inPath, ...inHeader.map(([field]) => field)]);
  const hasBody = http.method !== 'GET' && http.method !== 'DELETE' && !spec.upload;

  return (request) => {
    const input: Record<string, unknown> = {};
    const query = request.query as Record<string, unknown>;
    if (hasBody) {
      refuse(query, 'is not a known query parameter');
      takeBody(input, request.body, elsewhere);
    } else {
      for (const name in query) {
        // Assigned to an object, __proto__ would change what it is instead of becoming a field.
        if (elsewhere.has(name) || name === '__proto__')
          throw invalid([{ path: `/${escapePointer(name)}`, message: 'is not a known query parameter' }]);
        input[name] = convert(query[name], properties[name]);
      }
      if (!spec.upload && !isEmpty(request.body))
        throw invalid([{ path: '', message: 'this operation takes no body' }]);
    }
    const params = request.params as Record<string, string>;
    for (const name of inPath) input[name] = convert(params[name], properties[name]);
    for (const [field, header] of inHeader) {
      const value = request.headers[header.toLowerCase()];
      if (value !== undefined) input[field] = value;
      else if (required.has(field))
        throw invalid([{ path: `/${header}`, message: 'the header is required' }]);
    }
    return input;
  };
}

function takeBody(input: Record<string, unknown>, body: unknown, elsewhere: ReadonlySet<string>): void {
  if (body === undefined || body === null) return;
  if (typeof body !== 'object' || Array.isArray(body))
    throw invalid([{ path: '', message: 'must be a JSON object' }]);
  for (const name of Object.keys(body)) {
    if (elsewhere.has(name))
      throw invalid([{ path: `/${escapePointer(name)}`, message: 'is not a known field of the body' }]);
    input[name] = (body as Record<string, unknown>)[name];
  }
}

/** Errors name a field as the client sent it: one that came in a header by the header's name. */
export function namedByClient(spec: OperationSpec): ((error: unknown) => never) | undefined {
  const headers = new Map(
    Object.entries(spec.headers ?? {}).map(([field, name]) => [`/${field}`, `/${name}`]),
  );
  if (headers.size === 0) return undefined;
  return (error) => {
    if (!(error instanceof Problem) || !error.body.errors) throw error;
    const errors = error.body.errors.map((one) => ({ ...one, path: headers.get(one.path) ?? one.path }));
    throw new Problem({ ...error.body, errors }, { cause: error });
  };
}

function refuse(query: Record<string, unknown>, message: string): void {
  const names = Object.keys(query).slice(0, MAX_NAMED);
  if (names.length > 0) throw invalid(names.map((name) => ({ path: `/${escapePointer(name)}`, message })));
}

function isEmpty(body: unknown): boolean {
  return body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0);
}

/** Text of a URL as the number or boolean that the schema asks for; anything else stays text and is refused. */
function convert(value: unknown, schema: TSchema | undefined): unknown {
  if (typeof value !== 'string' || !schema) return value;
  const type = (schema as { type?: string }).type;
  if ((type === 'integer' || type === 'number') && /^-?\d{1,15}(\.\d{1,15})?$/.test(value))
    return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}
