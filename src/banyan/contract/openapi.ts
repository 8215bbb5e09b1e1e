// OpenAPI 3.1 from contracts alone. What stands here is what scripts may rely on: every route, status,
// header and error of every module, whether the module is near or far.
import { listed, scopes } from '../context/scopes.ts';
import type { Contract, OperationSpec } from './contract.ts';
import { exampleInput } from './examples.ts';
import { hostPaths } from './host-paths.ts';
import { failures, problemContent, problemSchema, rateLimitHeaders, successes } from './openapi-answers.ts';
import { inputs } from './openapi-input.ts';
import { libraryErrors } from './problem.ts';

type Json = Record<string, unknown>;

/** The product that a document is of. */
export interface Documented {
  readonly title: string;
  readonly version: string;
  /** The operation at which a session begins, as `POST /…`. */
  readonly sessions?: { readonly begin: string };
}

/** The document of these contracts. */
export function openapi(contracts: readonly Contract[], { title, version, sessions }: Documented): Json {
  const tooMany = { description: libraryErrors['too-many-requests'].title, content: problemContent };
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
        operator: {
          type: 'http',
          scheme: 'bearer',
          description: `The token of an operator with the scope that is named; ADMIN_TOKEN has all: ${scopes.join(', ')}`,
        },
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
    ...(spec.saga !== undefined && { 'x-saga': spec.saga.role }),
    ...(spec.shadow?.never !== undefined && { 'x-shadow-never': spec.shadow.never }),
  };
}

function security(spec: OperationSpec): Json[] {
  if (spec.access === 'public') return [];
  if (spec.access === 'session') return [{ session: [] }];
  const operators = listed(spec.scope ?? []).map((scope) => ({ operator: [scope] }));
  return spec.access === 'admin' ? [{ session: [] }, ...operators] : operators;
}
