// What an operation takes, as OpenAPI says it: parameters of the path, the query and the headers, and the body, each
// with an example.
import type { TSchema } from 'typebox';
import type { OperationSpec } from './contract.ts';
import { exampleOf } from './examples.ts';

type Json = Record<string, unknown>;

export function inputs(spec: OperationSpec, examples: Json): { parameters: Json[]; body: Json | undefined } {
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
