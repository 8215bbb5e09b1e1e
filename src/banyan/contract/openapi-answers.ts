// What an operation answers, as OpenAPI says it: every status with its headers and its body, of success and of
// failure, those of the library and those of its contract.
import type { Contract, OperationSpec } from './contract.ts';
import { exampleOf } from './examples.ts';
import { type LibraryError, libraryErrors } from './problem.ts';

type Json = Record<string, unknown>;

export const problemSchema: Json = {
  type: 'object',
  description: 'RFC 9457 problem',
  examples: [
    {
      type: 'urn:banyan:problem:kernel:invalid',
      title: 'The input does not fit the schema',
      status: 422,
      code: 'invalid',
      detail: 'See errors: each entry names the field and what is wrong with it.',
      errors: [{ path: '/lines/0/quantity', message: 'must be >= 1' }],
    },
  ],
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    module: { type: 'string', description: 'Of a module that could not be reached' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: {
          path: { type: 'string', description: 'JSON Pointer into the input' },
          message: { type: 'string' },
        },
      },
    },
  },
};

const text = (description: string): Json => ({ description, schema: { type: 'string' } });

const servedBy = text('monolith, or the instance that made the answer, such as <module>-1');
const traceparent = text('W3C Trace Context: the trace of the request, in which its failure was logged');

const ofDownload = {
  etag: text('Strong; for If-None-Match and If-Range'),
  'cache-control': text('As long as the bytes may be kept'),
  'accept-ranges': text('bytes'),
};

/** Answers to an address that is counted have the last three whatever their status. */
export const rateLimitHeaders = {
  'retry-after': text('Seconds'),
  'ratelimit-limit': text('Requests that the address may make in a second'),
  'ratelimit-remaining': text('Those that are left of it'),
  'ratelimit-reset': text('Seconds until it begins anew'),
};

/** By status, beside the ones of every answer. */
const ofFailure: Readonly<Record<number, Json>> = {
  401: { 'www-authenticate': text('Bearer') },
  416: { 'content-range': text('The length there is: bytes */<length>') },
  429: rateLimitHeaders,
  503: { 'retry-after': text('Seconds') },
};

function headersOf(spec: OperationSpec, more: Json = {}): Json {
  const api = spec.http!.path.startsWith('/api/') ? { 'x-served-by': servedBy } : {};
  return { headers: { ...api, traceparent, ...more } };
}

export function successes(contract: Contract, spec: OperationSpec): Json {
  const http = spec.http!;
  const statuses = http.statuses ?? [http.status ?? 200];
  const headers = headersOf(spec, spec.download ? ofDownload : {});
  const content = spec.download
    ? { content: { 'image/*': { schema: { type: 'string', contentMediaType: 'application/octet-stream' } } } }
    : (spec.output as { type?: string }).type === 'null'
      ? {}
      : { content: { 'application/json': { schema: spec.output, example: exampleOf(spec.output) } } };
  const answers: Json = {};
  for (const status of spec.download ? [200, 206] : statuses) {
    answers[status] = { description: `${contract.module}: ${spec.summary}`, ...headers, ...content };
  }
  if (spec.download) answers[304] = { description: 'Not modified', ...headers };
  return answers;
}

export const problemContent = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
};

export function failures(contract: Contract, spec: OperationSpec): Json {
  const titles = new Map<number, string[]>();
  const add = (status: number, title: string) => titles.set(status, [...(titles.get(status) ?? []), title]);
  for (const code of libraryFailures(spec)) add(libraryErrors[code].status, libraryErrors[code].title);
  for (const name of spec.errors ?? [])
    add(contract.errors[name]!.status, `${contract.errors[name]!.title} (${name})`);
  const answers: Json = {};
  for (const [status, all] of titles) {
    answers[status] = {
      description: all.join('; '),
      ...headersOf(spec, ofFailure[status]),
      content: problemContent,
    };
  }
  answers.default = { description: 'Whatever else is refused', ...headersOf(spec), content: problemContent };
  return answers;
}

function libraryFailures(spec: OperationSpec): LibraryError[] {
  const codes: LibraryError[] = ['malformed', 'unauthenticated'];
  if (spec.access !== 'public') codes.push('forbidden');
  if (Object.keys(spec.input.properties).length > 0 || spec.upload) codes.push('invalid');
  if (spec.http!.method !== 'GET') codes.push('too-large', 'unsupported-media-type');
  if (spec.download) codes.push('range-not-satisfiable');
  codes.push('too-many-requests', 'internal', 'bad-gateway', 'unavailable', 'deadline-exceeded');
  return codes;
}
