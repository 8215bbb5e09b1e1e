// What may be read about placements beside where they are now: how they came to be, and the same as flags for tools that
// evaluate them. The routes under /admin, for who has the scope `read`.
import type { Static } from 'typebox';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { nullable, paging, time } from '../contract/fields.ts';
import { moduleName, ofSomeModule } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';
import { MirrorShares, Percent, PlacementWord } from './admin-contract.ts';
import type { Actor } from './history.ts';

export const Change = Type.Object({
  module: Type.String(),
  at: time(),
  /** Null: the first placement that was stored. */
  from: nullable(PlacementWord),
  to: PlacementWord,
  percent: Percent,
  /** Null: nothing was mirrored. */
  mirror: nullable(MirrorShares),
  actor: Type.Unsafe<Actor>({ type: 'string', enum: ['operator', 'judge'] }),
  /** Who, and by what. */
  by: Type.String(),
  reason: nullable(Type.String()),
  /** On which numbers; null where a person decided. */
  evidence: nullable(Type.Record(Type.String(), Type.Unknown())),
  failed: nullable(
    Type.Integer({
      description:
        'Requests of the module that failed from this change until nothing was under way to the side that it left; ' +
        'null: no console looked on',
    }),
  ),
});
export type Change = Static<typeof Change>;

/** What was done to where a module's store is. */
export const StoreChange = Type.Object({
  module: Type.String(),
  at: time(),
  /** Null: it is under way. */
  endedAt: nullable(time()),
  task: Type.String({ examples: ['move'] }),
  from: Type.String(),
  to: Type.String(),
  state: Type.String({ examples: ['moved'] }),
  by: Type.String(),
  why: nullable(Type.String()),
  /** Of the last pause, in milliseconds; null: there was none. */
  pause: nullable(Type.Number()),
  /** Compared by hash, or copied where it did not come that far; null: none. */
  rows: nullable(Type.Integer()),
});
export type StoreChange = Static<typeof StoreChange>;

/** A process of a service that ended without a drain, or was not heard of any more. Kept for a day. */
export const End = Type.Object({
  module: Type.String(),
  id: Type.String({ examples: ['module-1'] }),
  at: time(),
  how: nullable(Type.String({ description: 'As its supervisor saw it; null: nobody saw it' })),
  /** It was only not heard of, and may have lived. */
  silent: Type.Boolean(),
});
export type End = Static<typeof End>;

type Variant = 'service' | 'in-process';
const Variant = Type.Unsafe<Variant>({ type: 'string', enum: ['service', 'in-process'] });

/** A flag of flagd (https://flagd.dev/schema/v0/flags.json), whose key is the module. */
export const Flag = Type.Object({
  state: Type.Literal('ENABLED'),
  variants: Type.Object({ service: Type.Literal('service'), 'in-process': Type.Literal('in-process') }),
  defaultVariant: Variant,
  targeting: Type.Optional(
    Type.Object({
      fractional: Type.Unsafe<[Variant, number][]>({
        type: 'array',
        description: 'By flag key and targeting key, as hosts decide: of a user, else the Idempotency-Key',
        items: { type: 'array', prefixItems: [Variant, { type: 'integer' }], minItems: 2, maxItems: 2 },
        examples: [
          [
            ['service', 10],
            ['in-process', 90],
          ],
        ],
      }),
    }),
  ),
});
export type Flag = Static<typeof Flag>;

export const FLAGS_SCHEMA = 'https://flagd.dev/schema/v0/flags.json';

/** Not an id: a change is named by its version and its module. */
const cursor = Type.Optional(Type.String({ minLength: 1, maxLength: 200, examples: ['7.module'] }));

export const placements = defineContract('placements', {
  summary: 'How placements came to be, and what they are as flags',
  errors: {
    'module-unknown': { status: 404, title: 'No such module' },
    'bad-cursor': { status: 422, title: 'The cursor is not one of this list' },
  },
  operations: {
    history: operation({
      summary:
        'Every change of a placement, newest first: who, why, on which numbers; what was done to stores, and which processes ended',
      access: 'operator',
      scope: 'read',
      http: { method: 'GET', path: '/admin/history' },
      input: closed({ module: Type.Optional(moduleName), limit: paging.limit, cursor }),
      example: ofSomeModule,
      output: Type.Object({
        items: Type.Array(Change),
        nextCursor: nullable(Type.String()),
        /** Begun in the time of this page: after its last item, unless no page follows. Newest first, 500 at most. */
        stores: Type.Array(StoreChange),
        /** The same of processes that ended without a drain in the last day. */
        ended: Type.Array(End),
      }),
      idempotent: true,
      errors: ['module-unknown', 'bad-cursor'],
    }),
    flags: operation({
      summary: 'The placements as a flag definition of flagd: the same share, by the same keys',
      access: 'operator',
      scope: 'read',
      http: { method: 'GET', path: '/admin/flags' },
      input: nothing,
      output: Type.Object({
        $schema: Type.Literal(FLAGS_SCHEMA),
        flags: Type.Record(Type.String(), Flag),
      }),
      idempotent: true,
    }),
  },
});

/** Of which time, and of which module, things that have times are asked for. */
export interface Past {
  readonly module?: string | undefined;
  /** Begun later than that. */
  readonly after?: string | undefined;
  /** Not begun later than that. */
  readonly until?: string | undefined;
}
