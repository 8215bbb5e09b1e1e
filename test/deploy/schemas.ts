// Whether an object is one that Kubernetes takes: by the published schemas of one version, strictly (what nobody knows is a mistake; so
// are two entries of one key), and by the definitions of custom resources. What a definition says in CEL is asked by an API alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import type { Manifest } from './rendered.ts';
import type { Tools } from './tools.ts';

type Schema = { [name: string]: unknown };
type Definitions = { $id: string; $defs: Record<string, Schema> };

export interface Schemas {
  /** Such as `1.32`. */
  readonly name: string;
  knows(object: Manifest): boolean;
  /** A line for each mistake; also where nothing is known of its kind. */
  complaints(object: Manifest): string[];
}

/** One for each version of Kubernetes, the oldest first; none where they were not fetched. */
export function openSchemas({ schemas, definitions }: Tools): Schemas[] {
  if (schemas === undefined || definitions === undefined) return [];
  const custom = customResources(definitions);
  return readdirSync(schemas)
    .map((file) => /^v(1\.\d+)\.json$/.exec(file)![1]!)
    .sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)))
    .map(
      (name) => new OfVersion(name, JSON.parse(readFileSync(join(schemas, `v${name}.json`), 'utf8')), custom),
    );
}

/** Formats are the API's own (int32, byte, date-time): what they say is in types and patterns, too. */
const options = { strict: false, allErrors: true, validateFormats: false, logger: false } as const;

function newAjv(): Ajv2020 {
  return new Ajv2020(options).addKeyword({
    keyword: 'x-kubernetes-list-map-keys',
    type: 'array',
    schemaType: 'array',
    error: { message: 'has two entries of one key' },
    validate: (keys: readonly string[], list: readonly Manifest[]) =>
      new Set(list.map((one) => JSON.stringify(keys.map((key) => one[key])))).size === list.length,
  });
}

class OfVersion implements Schemas {
  readonly name: string;
  readonly #ajv: Ajv2020;
  readonly #file: Definitions;
  readonly #custom: ReadonlyMap<string, ValidateFunction>;

  constructor(name: string, file: Definitions, custom: ReadonlyMap<string, ValidateFunction>) {
    this.name = name;
    this.#file = file;
    this.#custom = custom;
    this.#ajv = newAjv();
    this.#ajv.addSchema(file);
  }

  knows(object: Manifest): boolean {
    return this.#validator(object) !== undefined;
  }

  complaints(object: Manifest): string[] {
    const validate = this.#validator(object);
    if (validate === undefined) return [`nothing is known of ${object.apiVersion} ${object.kind}`];
    return validate(object) ? [] : validate.errors!.map(inWords);
  }

  #validator({ apiVersion, kind }: Manifest): ValidateFunction | undefined {
    const own = this.#custom.get(`${apiVersion} ${kind}`);
    if (own) return own;
    const [version, group = ''] = String(apiVersion).split('/').reverse() as [string, string?];
    const [key] =
      Object.entries(this.#file.$defs).find(([, schema]) =>
        (schema['x-kubernetes-group-version-kind'] as Manifest[] | undefined)?.some(
          (one) => one.group === group && one.version === version && one.kind === kind,
        ),
      ) ?? [];
    return key === undefined ? undefined : this.#ajv.getSchema(`${this.#file.$id}#/$defs/${key}`);
  }
}

function inWords({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath || '/'} ${message} ${JSON.stringify(params)}`;
}

function customResources(folder: string): ReadonlyMap<string, ValidateFunction> {
  const ajv = newAjv();
  const found = new Map<string, ValidateFunction>();
  for (const file of readdirSync(folder)) {
    const { spec } = parse(readFileSync(join(folder, file), 'utf8'));
    for (const { name, schema } of spec.versions)
      found.set(
        `${spec.group}/${name} ${spec.names.kind}`,
        ajv.compile(closed(schema.openAPIV3Schema) as Schema),
      );
  }
  return found;
}

/** The API drops what it does not know, and nobody hears of it: here it is a mistake. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const all: Schema = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, closed(value)]),
  );
  if (all['x-kubernetes-int-or-string']) return { type: ['integer', 'string'] };
  // As Go writes it; a property may have that name, too.
  if (typeof all.pattern === 'string' && all.pattern.includes('(?i)'))
    all.pattern = `(?i:${all.pattern.replace('(?i)', '')})`;
  const free = all['x-kubernetes-preserve-unknown-fields'] || all.additionalProperties !== undefined;
  return all.type === 'object' && typeof all.properties === 'object' && !free
    ? { ...all, additionalProperties: false }
    : all;
}
