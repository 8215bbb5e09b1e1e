// A contract as plain data: what two processes compare. The same promise gives the same JSON, whoever
// wrote it: keys are sorted, and words for people (summaries, descriptions, examples) are left out.
import { createHash } from 'node:crypto';
import type { Contract, EventSpec, OperationSpec } from '../contract/contract.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface CanonicalContract {
  readonly module: string;
  readonly operations: { readonly [name: string]: JsonObject };
  readonly events: { readonly [name: string]: JsonObject };
  readonly errors: { readonly [name: string]: Json };
  /** Paths at which one of the version before may differ. */
  readonly mayLack?: readonly string[];
}

/** Made once: a contract is a constant, and every part of a host asks for it. */
export function canonicalContract(contract: Contract): CanonicalContract {
  let found = made.get(contract);
  if (!found) {
    found = canonicalOf(contract);
    made.set(contract, found);
  }
  return found;
}

const made = new WeakMap<Contract, CanonicalContract>();

/** A field by a name from outside. Inherited ones, such as `constructor`, are not found. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function canonicalOf(contract: Contract): CanonicalContract {
  const canonical = {
    module: contract.module,
    operations: mapValues(contract.operations, operationOf),
    events: mapValues(contract.events, ({ version, key, data }: EventSpec) => ({
      version,
      key,
      data: withoutWords(data),
    })),
    errors: mapValues(contract.errors, ({ status }) => status),
    ...(contract.mayLack && { mayLack: contract.mayLack }),
  };
  return sorted(JSON.parse(JSON.stringify(canonical)) as Json) as unknown as CanonicalContract;
}

/** A short name for a canonical contract: the first 12 hex digits of its SHA-256. */
export function contractHash(contract: CanonicalContract): string {
  return createHash('sha256').update(JSON.stringify(contract)).digest('hex').slice(0, 12);
}

function operationOf(spec: OperationSpec) {
  const { http } = spec;
  return {
    access: spec.access,
    idempotent: spec.idempotent,
    errors: [...(spec.errors ?? [])].sort(),
    input: withoutWords(spec.input),
    output: withoutWords(spec.output),
    ...(http && {
      http: { method: http.method, path: http.path, statuses: http.statuses ?? [http.status ?? 200] },
    }),
    ...(spec.headers && { headers: spec.headers }),
    ...(spec.upload && { upload: spec.upload }),
    ...(spec.download && { download: true }),
  };
}

const forPeople = new Set(['title', 'description', 'examples', 'default', '$id', '$comment', 'plain']);

/** A schema without what is for people. Names under `properties` are fields and all kept. */
export function withoutWords(schema: unknown): Json {
  if (Array.isArray(schema)) return schema.map(withoutWords);
  if (typeof schema !== 'object' || schema === null) return schema as Json;
  const kept: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') kept[key] = mapValues(value as object, withoutWords);
    else if (!forPeople.has(key) && !key.startsWith('~')) kept[key] = withoutWords(value);
  }
  return kept;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((key) => [key, sorted(object[key]!)]),
  );
}

function mapValues<T, R>(
  object: Readonly<Record<string, T>> | object,
  map: (value: T) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value as T)]));
}
