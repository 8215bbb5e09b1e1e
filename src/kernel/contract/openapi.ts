// OpenAPI 3.1 from contracts alone. What stands here is what scripts may rely on: every route, status,
// header and error of every module, whether the module is near or far.
import type { TSchema } from 'typebox';
import type { Contract, OperationSpec } from './contract.ts';
import { exampleInput, exampleOf } from './examples.ts';
import { hostPaths } from './host-paths.ts';
import { type KernelError, kernelErrors } from './problem.ts';

type Json = Record<string, unknown>;

const problemSchema: Json = {
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

/** The product that a document is of. */
export interface Documented {
  readonly title: string;
  readonly version: string;
  /** The operation at which a session begins, as `POST /…`. */
  readonly sessions?: { readonly begin: string };
}

/** The document of these contracts. */
export function openapi(contracts: readonly Contract[], { title, version, sessions }: Documented): Json {
  const tooMany = { description: kernelErrors['too-many-requests'].title, content: problemContent };
  const paths: Record<string, Json> = { ...hostPaths({ ...tooMany, headers: rateLimitHeaders }) };
  for (const contract of contracts) {
    for (const [name, spec] of Object.entries(contract.operations)) {
      if (!spec.http) continue;
      const path = spec.http.path.replace(/:(\w+)/g, '{$1}');
      paths[path] ??= {};
      paths[path][spec.http.method.toLowerCase()] = describe(contract, name, spec, contracts);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title,
      version,
      description:
        'One API whether its modules run in one process or as services. Every /api answer says in x-served-by where it was made.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [
      ...contracts.map((contract) => ({ name: contract.module, description: contract.summary })),
      { name: 'host', description: 'What every host says of itself' },
    ],
    paths,
    components: {
      securitySchemes: {
        session: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: sessions ? `The token of ${sessions.begin}` : 'The token of a session',
        },
        operator: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN' },
      },
      schemas: { Problem: problemSchema },
    },
  };
}

function describe(
  contract: Contract,
  name: string,
  spec: OperationSpec,
  contracts: readonly Contract[],
): Json {
  const { parameters, body } = inputs(spec, exampleInput(spec, contracts));
  return {
    operationId: `${contract.module}.${name}`,
    tags: [contract.module],
    summary: spec.summary,
    ...(spec.description ? { description: spec.description } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: { ...successes(contract, spec), ...failures(contract, spec) },
    security: security(spec),
  };
}

function security(spec: OperationSpec): Json[] {
  if (spec.access === 'public') return [];
  if (spec.access === 'session') return [{ session: [] }];
  if (spec.access === 'admin') return [{ session: [] }, { operator: [] }];
  return [{ operator: [] }];
}

function inputs(spec: OperationSpec, examples: Json): { parameters: Json[]; body: Json | undefined } {
  const http = spec.http!;
  const properties = spec.input.properties as Record<string, TSchema>;
  const required = new Set<string>((spec.input as { required?: string[] }).required ?? []);
  const parameters: Json[] = [];
  const rest: Record<string, TSchema> = {};
  for (const [field, schema] of Object.entries(properties)) {
    const header = spec.headers?.[field];
    const example = field in examples ? { example: examples[field] } : {};
    const more = { schema, ...example };
    if (http.path.includes(`:${field}`))
      parameters.push({ name: field, in: 'path', required: true, ...more });
    else if (header) parameters.push({ name: header, in: 'header', required: required.has(field), ...more });
    else if (http.method === 'GET' || http.method === 'DELETE')
      parameters.push({ name: field, in: 'query', required: required.has(field), ...more });
    else rest[field] = schema;
  }
  return { parameters, body: bodyOf(spec, rest, required, examples) };
}

function bodyOf(
  spec: OperationSpec,
  fields: Record<string, TSchema>,
  required: ReadonlySet<string>,
  examples: Json,
): Json | undefined {
  if (spec.upload) {
    const file = { type: 'string', contentMediaType: 'application/octet-stream' };
    const schema = {
      type: 'object',
      required: [spec.upload.field],
      properties: { [spec.upload.field]: file },
    };
    return { required: true, content: { 'multipart/form-data': { schema } } };
  }
  const names = Object.keys(fields);
  if (names.length === 0) return undefined;
  const schema = {
    type: 'object',
    additionalProperties: false,
    required: names.filter((name) => required.has(name)),
    properties: Object.fromEntries(
      names.map((name) => [
        name,
        { ...fields[name], examples: [examples[name] ?? exampleOf(fields[name], name)] },
      ]),
    ),
  };
  const example = Object.fromEntries(
    names.flatMap((name) => (name in examples ? [[name, examples[name]]] : [])),
  );
  return { required: true, content: { 'application/json': { schema, example } } };
}

const text = (description: string): Json => ({ description, schema: { type: 'string' } });

const servedBy = text('monolith, or the instance that made the answer, such as <module>-1');
const traceparent = text('W3C Trace Context: the trace of the request, in which its failure was logged');

const ofDownload = {
  etag: text('Strong; for If-None-Match and If-Range'),
  'cache-control': text('As long as the bytes may be kept'),
  'accept-ranges': text('bytes'),
};

/** Answers to an address that is counted have the last three whatever their status. */
const rateLimitHeaders = {
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

function successes(contract: Contract, spec: OperationSpec): Json {
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

const problemContent = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
};

function failures(contract: Contract, spec: OperationSpec): Json {
  const titles = new Map<number, string[]>();
  const add = (status: number, title: string) => titles.set(status, [...(titles.get(status) ?? []), title]);
  for (const code of kernelFailures(spec)) add(kernelErrors[code].status, kernelErrors[code].title);
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

function kernelFailures(spec: OperationSpec): KernelError[] {
  const codes: KernelError[] = ['malformed', 'unauthenticated'];
  if (spec.access !== 'public') codes.push('forbidden');
  if (Object.keys(spec.input.properties).length > 0 || spec.upload) codes.push('invalid');
  if (spec.http!.method !== 'GET') codes.push('too-large', 'unsupported-media-type');
  if (spec.download) codes.push('range-not-satisfiable');
  codes.push('too-many-requests', 'internal', 'bad-gateway', 'unavailable', 'deadline-exceeded');
  return codes;
}
