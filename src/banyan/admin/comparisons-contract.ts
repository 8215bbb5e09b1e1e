// What an operator can ask of comparisons: the routes under /admin/compares. Both architectures do the same work, in processes
// of their own, one comparison at a time. How it is done is the product's tool; here it is started, watched and ended.
import type { Static } from 'typebox';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { id, nullable, time } from '../contract/fields.ts';
import { changedByHeader } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';

const states = ['running', 'done', 'failed', 'cancelled', 'lost'] as const;
export type ComparisonState = (typeof states)[number];

const shape = (description: string, example: string) =>
  Type.Optional(
    Type.String({
      pattern: '^(monolith|services[a-z0-9 ,;:-]*)$',
      maxLength: 300,
      description,
      examples: [example],
    }),
  );

export const Asked = closed({
  a: shape('One side. Default: monolith', 'monolith'),
  b: shape('The other. Default: services', 'services'),
  self: Type.Optional(
    Type.Boolean({ description: 'A against A, which must find nothing', examples: [false] }),
  ),
  work: Type.Optional(
    Type.String({ pattern: '^[a-z][a-z0-9-]{0,40}$', description: 'Which work: one of `works`' }),
  ),
  length: Type.Optional(
    Type.Unsafe<'quick' | 'default' | 'full'>({
      type: 'string',
      enum: ['quick', 'default', 'full'],
      description: 'Under a minute, five, or about 22',
    }),
  ),
  rounds: Type.Optional(
    Type.Integer({ minimum: 6, maximum: 60, description: 'Pairs of rounds', examples: [8] }),
  ),
});
export type Asked = Static<typeof Asked>;

export const Comparison = Type.Object({
  id: Type.String(),
  /** `console`: it was started here. `folder`: its report was found in the folder of this host. */
  from: Type.Union([Type.Literal('console'), Type.Literal('folder')]),
  state: Type.Unsafe<ComparisonState>({ type: 'string', enum: [...states] }),
  asked: Type.Record(Type.String(), Type.Unknown()),
  /** The command that does the same. */
  command: Type.String(),
  lines: Type.Array(Type.Object({ at: time(), text: Type.String() }), {
    description: 'What it said that it does, the newest last',
  }),
  startedBy: nullable(Type.String()),
  startedAt: time(),
  endedAt: nullable(time()),
  /** What was found in one line, or why there is nothing. */
  finding: nullable(Type.String()),
  host: nullable(Type.String()),
  hasReport: Type.Boolean(),
});
export type Comparison = Static<typeof Comparison>;

/** An id, or the name of a folder. */
const comparisonId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
  examples: ['2026-01-01T00-00-00'],
});
const changedBy = Type.Optional(
  Type.String({ minLength: 1, maxLength: 100, description: 'A remark for the history', examples: ['ada'] }),
);
const Free = Type.Record(Type.String(), Type.Unknown());

export const comparisons = defineContract('comparisons', {
  summary: 'Both architectures on the same work, measured',
  errors: {
    'comparison-running': { status: 409, title: 'A comparison runs already' },
    'comparison-unknown': { status: 404, title: 'No such comparison' },
    'no-report': { status: 404, title: 'There is no report of it' },
    'not-comparable': { status: 409, title: 'These two reports cannot be compared' },
  },
  operations: {
    list: operation({
      summary: 'Comparisons, the newest first, and what can be asked for',
      access: 'operator',
      scope: ['read', 'compare'],
      http: { method: 'GET', path: '/admin/compares' },
      input: nothing,
      output: Type.Object({ works: Type.Array(Type.String()), items: Type.Array(Comparison) }),
      idempotent: true,
    }),
    start: operation({
      summary: 'Start one; answers when it has begun',
      description:
        'One at a time over all hosts. It measures processes of its own and touches none that runs.',
      access: 'operator',
      scope: 'compare',
      http: { method: 'POST', path: '/admin/compares', status: 202 },
      headers: changedByHeader,
      input: closed({ ...Asked.properties, changedBy }),
      example: () => ({ a: 'monolith', b: 'services', work: undefined }),
      output: Comparison,
      idempotent: false,
      errors: ['comparison-running'],
    }),
    show: operation({
      summary: 'One, with what it says that it does',
      access: 'operator',
      scope: ['read', 'compare'],
      http: { method: 'GET', path: '/admin/compares/:id' },
      input: closed({ id: comparisonId }),
      output: Comparison,
      idempotent: true,
      errors: ['comparison-unknown'],
    }),
    cancel: operation({
      summary: 'End one that runs; nothing of it is left',
      access: 'operator',
      scope: 'compare',
      http: { method: 'DELETE', path: '/admin/compares/:id' },
      headers: changedByHeader,
      input: closed({ id: id(), changedBy }),
      output: Comparison,
      idempotent: true,
      errors: ['comparison-unknown'],
    }),
    report: operation({
      summary: 'The report of one, as JSON',
      access: 'operator',
      scope: ['read', 'compare'],
      http: { method: 'GET', path: '/admin/compares/:id/report' },
      input: closed({ id: comparisonId }),
      output: Free,
      idempotent: true,
      errors: ['comparison-unknown', 'no-report'],
    }),
    page: operation({
      summary: 'The report of one, as the page that it is',
      access: 'operator',
      scope: ['read', 'compare'],
      http: { method: 'GET', path: '/admin/compares/:id/page' },
      input: closed({ id: comparisonId }),
      output: Type.String({ description: 'HTML' }),
      download: true,
      idempotent: true,
      errors: ['comparison-unknown', 'no-report'],
    }),
    diff: operation({
      summary: 'What became worse or better between the reports of two',
      access: 'operator',
      scope: ['read', 'compare'],
      http: { method: 'GET', path: '/admin/compares/:id/diff' },
      input: closed({ id: comparisonId, old: comparisonId }),
      output: Free,
      idempotent: true,
      errors: ['comparison-unknown', 'no-report', 'not-comparable'],
    }),
  },
});
