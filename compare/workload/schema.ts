// What a workload file may say (docs/compare.md shows one). The built-in workloads are such files: whatever they can do,
// a file of one's own can. A schema with closed objects, so that a misspelt field is an error and not a default.
import type { Static } from 'typebox';
import { Type } from '../../src/banyan/contract/type.ts';

const closed = <T extends Record<string, Parameters<typeof Type.Object>[0][string]>>(fields: T) =>
  Type.Object(fields, { additionalProperties: false });

/** `GET /api/catalog/products/{product}`. */
const request = Type.String({ pattern: '^(GET|POST|PUT|PATCH|DELETE) /[^\\s]*$', maxLength: 2000 });
const headers = Type.Record(Type.String({ pattern: '^[a-z0-9-]+$' }), Type.String({ maxLength: 2000 }));

const Until = closed({
  request: Type.String({ pattern: '^GET /[^\\s]*$', maxLength: 2000 }),
  /** A field at the top of the JSON answer. */
  field: Type.String({ minLength: 1, maxLength: 100 }),
  not: Type.String({ maxLength: 200 }),
  wanted: Type.Optional(Type.String({ maxLength: 200 })),
  everyMs: Type.Optional(Type.Integer({ minimum: 5, maximum: 5000 })),
  withinMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 60_000 })),
});

export const WorkloadKind = closed({
  label: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
  /** A weight: shares are taken of their sum. */
  share: Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }),
  request,
  as: Type.Optional(Type.Union([Type.Literal('customer'), Type.Literal('admin'), Type.Literal('nobody')])),
  headers: Type.Optional(headers),
  /** Any JSON; texts in it may hold placeholders. */
  body: Type.Optional(Type.Unknown()),
  /** `picture` (made, 800 x 600), or a file beside the workload file. */
  upload: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
  expect: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
  until: Type.Optional(Until),
  /** The modules that this kind cannot do without. */
  needs: Type.Optional(Type.Array(Type.String())),
});

export const WorkloadFile = closed({
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$' }),
  description: Type.Optional(Type.String({ maxLength: 500 })),
  /** Exponent of Zipf's law for the choice of products and pictures; 0 is even. Default 1. */
  skew: Type.Optional(Type.Number({ minimum: 0, maximum: 3 })),
  kinds: Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]{0,30}$' }), WorkloadKind, { minProperties: 1 }),
});

export type WorkloadFile = Static<typeof WorkloadFile>;
export type WorkloadKind = Static<typeof WorkloadKind>;

/** What may stand in braces in a path, a header or a text of a body. */
export const placeholders = {
  product: 'the id of a product, chosen by skew',
  picture: 'the id of a picture, chosen by skew',
  unique: 'a text that no other request has',
  number: 'a whole number from 1 to 5',
  word: 'a word that occurs in names of products',
} as const;

export type Placeholder = keyof typeof placeholders;
