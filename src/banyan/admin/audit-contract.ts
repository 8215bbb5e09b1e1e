// What an operator can ask of the past: every change that somebody made, by time, over all that keeps a history.
import type { Static } from 'typebox';
import { closed, defineContract, operation } from '../contract/contract.ts';
import { line, nullable, paging, time } from '../contract/fields.ts';
import { ofSomeModule } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';

/** What is changed, in the words of `source`. */
export const auditSources = [
  'placement',
  'ladder',
  'store',
  'event',
  'saga',
  'operator',
  'key',
  'service',
  'comparison',
] as const;
export type AuditSource = (typeof auditSources)[number];

export const AuditEntry = Type.Object({
  id: Type.String(),
  at: time(),
  source: Type.String({ description: `${auditSources.slice(0, -1).join(', ')} or ${auditSources.at(-1)}` }),
  /** Null: it is of no module. */
  module: nullable(Type.String()),
  actor: Type.String({ description: 'operator, judge (of a ladder), or host (by itself)' }),
  /** Null: nobody's name was written down. */
  by: nullable(Type.String()),
  what: Type.String(),
  reason: nullable(Type.String()),
  detail: nullable(Type.Record(Type.String(), Type.Unknown())),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const Audit = Type.Object({
  items: Type.Array(AuditEntry),
  nextCursor: nullable(Type.String()),
  /** Modules whose store did not answer, or is not within this host's reach: what it knows is not here. */
  silent: Type.Array(Type.String()),
});
export type Audit = Static<typeof Audit>;

export const audit = defineContract('audit', {
  summary: 'Who changed what, and why',
  errors: { 'bad-cursor': { status: 422, title: 'The cursor is not one of this list' } },
  operations: {
    list: operation({
      summary:
        'Every change, newest first: of placements, ladders, processes, stores, events, sagas, operators, keys and comparisons',
      description: 'Who only tried, or looked, is in the security log.',
      access: 'operator',
      scope: 'read',
      http: { method: 'GET', path: '/admin/audit' },
      input: closed({
        cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
        limit: paging.limit,
        actor: Type.Optional(
          line({
            minLength: 1,
            maxLength: 100,
            description: 'Has this in the name',
            examples: ['ada'],
          }),
        ),
        module: Type.Optional(line({ minLength: 1, maxLength: 100 })),
        source: Type.Optional(
          Type.Unsafe<AuditSource>({
            type: 'string',
            enum: [...auditSources],
            description: 'Of this kind alone',
            examples: ['placement'],
          }),
        ),
        from: Type.Optional(time()),
        to: Type.Optional(time()),
      }),
      example: (contracts) => ({ ...ofSomeModule(contracts), cursor: undefined }),
      output: Audit,
      idempotent: true,
      errors: ['bad-cursor'],
    }),
  },
});
