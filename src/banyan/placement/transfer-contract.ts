// What an operator can ask of transfers: the routes under /admin/transfers. What `banyan extract` and `banyan restore` do step
// by step is done here on one wish, by whichever monolith lives, so that nobody need stay to see the last step made.
import type { Static } from 'typebox';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { nullable, time } from '../contract/fields.ts';
import { changedBy, changedByHeader, moduleName, ofSomeModule } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';
import type { TransferStep } from './transfer-rows.ts';

const To = Type.Union([
  Type.Literal('service'),
  Type.Literal('in-process'),
  Type.Literal('shadow'),
  Type.Literal('ladder'),
]);

const share = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description, examples: [5] }));

export const Transfer = Type.Object({
  module: Type.String(),
  id: Type.String(),
  to: To,
  /** Of the requests, where it is a share. */
  percent: Type.Optional(Type.Integer()),
  step: Type.Unsafe<TransferStep>({
    type: 'string',
    enum: ['starting', 'flipping', 'draining', 'done', 'failed'],
  }),
  /** Why it failed, in words. */
  reason: nullable(Type.String()),
  startedBy: Type.String(),
  startedAt: time(),
  /** When it came to its step. */
  changedAt: time(),
});
export type Transfer = Static<typeof Transfer>;

export const transfers = defineContract('transfers', {
  summary: 'Modules on their way to processes of their own, and back: several steps as one wish',
  errors: {
    'module-unknown': { status: 404, title: 'No such module' },
    'transfer-running': { status: 409, title: 'The module is on its way already' },
    'wish-invalid': { status: 422, title: 'What is wished does not fit the way' },
  },
  operations: {
    list: operation({
      summary: 'The present transfer of each module, or its last one',
      access: 'operator',
      scope: ['read', 'place'],
      http: { method: 'GET', path: '/admin/transfers' },
      input: nothing,
      output: Type.Object({ items: Type.Array(Transfer) }),
      idempotent: true,
    }),
    start: operation({
      summary: 'Extract a module, or restore it',
      description:
        'To the service, in shadow or up a ladder: starts what is missing of its processes, waits until they are healthy, and ' +
        'places it, or begins the ladder. In-process: flips, ' +
        'waits until no request to the service is unfinished, and stops its processes. Answers at once; GET says how it goes. ' +
        'It is done by whichever monolith lives, also when the one that was asked ends.',
      access: 'operator',
      scope: 'place',
      http: { method: 'PUT', path: '/admin/transfers/:module', status: 202 },
      headers: changedByHeader,
      input: closed({
        module: moduleName,
        to: To,
        percent: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 99,
            description: 'To the service: this share of the requests alone',
            examples: [10],
          }),
        ),
        instances: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 16,
            description: 'To the service: so many processes. Default: those that are wanted, at least one',
            examples: [1],
          }),
        ),
        mirror: Type.Optional(
          closed({
            reads: share('In shadow: percent of the reads that are tried. Default 100'),
            writes: share('In shadow: percent of the writes. Default 5'),
          }),
        ),
        ladder: Type.Optional(
          closed({
            steps: Type.Optional(
              Type.Array(
                Type.Union([Type.String({ pattern: '^(shadow|[1-9][0-9]{0,2})$' }), Type.Integer()]),
                {
                  minItems: 1,
                  maxItems: 20,
                  description: 'Rising shares in percent; shadow may be the first',
                  examples: [[1, 10, 50, 100]],
                },
              ),
            ),
            minSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 604_800, examples: [120] })),
            minRequests: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000, examples: [300] })),
            confirm: Type.Optional(Type.Boolean({ examples: [false] })),
          }),
        ),
        guard: Type.Optional(
          Type.Boolean({
            description: 'To the service: watch it there, and take it back when its requests fail',
            examples: [false],
          }),
        ),
        timeoutMs: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 600_000,
            description: 'For the start, or the drain. Default 30000',
            examples: [30_000],
          }),
        ),
        changedBy,
      }),
      example: (contracts) => ({
        ...ofSomeModule(contracts),
        to: 'service',
        percent: undefined,
        mirror: undefined,
        ladder: undefined,
        guard: undefined,
      }),
      output: Transfer,
      idempotent: false,
      errors: ['module-unknown', 'transfer-running', 'wish-invalid'],
    }),
  },
});
