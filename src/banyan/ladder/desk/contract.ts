// What an operator can ask of ladders: the routes under /admin/ladders. A module goes up to its service step by step, on
// evidence alone, and comes down by itself. The command line is a client of exactly this.
import type { Static } from 'typebox';
import { closed, defineContract, operation } from '../../contract/contract.ts';
import { nullable, time } from '../../contract/fields.ts';
import { changedBy, changedByHeader, moduleName, ofSomeModule } from '../../contract/operator-fields.ts';
import { Type } from '../../contract/type.ts';

/** A number may be written as one. */
const Step = Type.Union([
  Type.String({ pattern: '^(shadow|[1-9][0-9]{0,2})$', examples: ['10'] }),
  Type.Integer({ minimum: 1, maximum: 100 }),
]);

const Rung = Type.String({
  description: '`shadow`, a share of requests in percent, or `background`: all of them, and background work',
  examples: ['10'],
});

const Side = Type.Object({ n: Type.Integer(), bad: Type.Integer() });

export const Evidence = Type.Object({
  rung: Rung,
  metric: Type.String({ description: 'What was counted' }),
  /** In the same seconds; from 100 on of the last rung before. */
  near: Side,
  far: Side,
  verdict: Type.Union([Type.Literal('good'), Type.Literal('bad'), Type.Literal('open')]),
});
export type Evidence = Static<typeof Evidence>;

const state = Type.Union([
  Type.Literal('none'),
  Type.Literal('running'),
  Type.Literal('paused'),
  Type.Literal('done'),
  Type.Literal('demoted'),
  Type.Literal('stopped'),
]);

const policy = {
  minSeconds: Type.Integer({ description: 'On each rung, and in the background at its end' }),
  minRequests: Type.Integer({ description: 'That the service answered, on each rung' }),
  maxSeconds: Type.Integer({ description: 'On a rung without a verdict; then it pauses' }),
  confirm: Type.Boolean({ description: 'A person says so at each rung' }),
};

export const Ladder = Type.Object({
  module: Type.String(),
  state,
  /** Where it is, or ended; null where there was none. */
  rung: nullable(Rung),
  /** As they are climbed; `background` follows 100. */
  steps: Type.Array(Rung),
  /** Of the last change, in words. */
  reason: nullable(Type.String()),
  /** What it waits for, while it neither climbs nor has come to its end. */
  waits: nullable(
    Type.Union([Type.Literal('traffic'), Type.Literal('confirmation'), Type.Literal('person')]),
  ),
  /** Since the present placement began, over all hosts. */
  shadow: Type.Object({
    mirrored: Type.Integer(),
    differed: Type.Integer(),
    skipped: Type.Integer(),
    failed: Type.Integer(),
    /** Of those that were skipped how many for which reason. */
    skips: Type.Optional(Type.Record(Type.String(), Type.Integer())),
    /** Why there are none at the moment, in words. */
    paused: Type.Optional(Type.String()),
  }),
  /** Operations that its shadows said nothing of, as too few of them were asked; without a rung `shadow` none. */
  unjudged: Type.Array(Type.String()),
  /** Rungs that a person's word left, whatever the evidence; absent: none. */
  promoted: Type.Optional(Type.Array(Type.Object({ rung: Rung, reason: Type.String() }))),
  evidence: Type.Array(Evidence),
  /** Null where there was none. */
  policy: nullable(Type.Object(policy)),
  /** What was asked for that is weaker than advised, in words. */
  weaker: Type.Array(Type.String()),
  /** It is watched where it is, and comes down by itself. */
  watched: Type.Boolean(),
  startedBy: nullable(Type.String()),
  startedAt: nullable(time()),
  /** Since when it is on this rung. */
  rungSince: nullable(time()),
});
export type Ladder = Static<typeof Ladder>;

const Document = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object' });

export const Sample = Type.Object({
  operation: Type.String(),
  at: time(),
  /** What differs, in words. */
  why: Type.Array(Type.String()),
  /** Values of customers as type, length and a keyed hash. */
  near: Document,
  far: Document,
});
export type Sample = Static<typeof Sample>;

const reason = Type.Optional(
  Type.String({ minLength: 1, maxLength: 500, description: 'Why, for the history.', examples: ['a try'] }),
);

const acted = (path: string, summary: string) =>
  operation({
    summary,
    access: 'operator',
    scope: 'place',
    http: { method: 'POST', path: `/admin/ladders/:module/${path}` },
    headers: changedByHeader,
    input: closed({ module: moduleName, reason, changedBy }),
    example: ofSomeModule,
    output: Ladder,
    idempotent: false,
    errors: ['module-unknown', 'ladder-not-running', 'no-healthy-instance', 'host-too-old'],
  });

export const ladders = defineContract('ladders', {
  summary: 'How a module goes up to its service step by step, on evidence, and down by itself',
  errors: {
    'module-unknown': { status: 404, title: 'No such module' },
    'ladder-running': { status: 409, title: 'The module is on a ladder already' },
    'ladder-not-running': { status: 409, title: 'The ladder cannot be changed like that now' },
    'ladder-not-needed': { status: 409, title: 'The module serves from its service already' },
    'steps-invalid': { status: 422, title: 'These steps lead nowhere' },
    'not-shadowable': { status: 409, title: 'The module cannot be shadowed' },
    'no-healthy-instance': { status: 409, title: 'No healthy instance is registered' },
    'instance-refuses': { status: 409, title: 'No instance lets this monolith in' },
    'host-too-old': { status: 409, title: 'A live host does not know such a placement' },
  },
  operations: {
    show: operation({
      summary: 'The ladder of a module: the present one, or the last',
      access: 'operator',
      scope: ['read', 'place'],
      http: { method: 'GET', path: '/admin/ladders/:module' },
      input: closed({ module: moduleName }),
      example: ofSomeModule,
      output: Ladder,
      idempotent: true,
      errors: ['module-unknown'],
    }),
    samples: operation({
      summary: 'Answers of both sides that differed, the newest first; 50 of an operation, for 7 days',
      access: 'operator',
      scope: 'place',
      http: { method: 'GET', path: '/admin/ladders/:module/samples' },
      input: closed({ module: moduleName }),
      example: ofSomeModule,
      output: Type.Object({ items: Type.Array(Sample) }),
      idempotent: true,
      errors: ['module-unknown'],
    }),
    start: operation({
      summary: 'Send a module up, a step at a time, each on evidence',
      description:
        'Answers when it stands on its first rung. It goes on by itself, whoever is killed; a placement by hand stops it.',
      access: 'operator',
      scope: 'place',
      http: { method: 'PUT', path: '/admin/ladders/:module' },
      headers: changedByHeader,
      input: closed({
        module: moduleName,
        steps: Type.Optional(
          Type.Array(Step, {
            minItems: 1,
            maxItems: 20,
            description: 'Rising shares of requests, in percent; shadow may be the first',
            examples: [[1, 10, 50, 100]],
          }),
        ),
        until: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 100,
            description: 'The share that is its end. Default 100, and then background work',
            examples: [100],
          }),
        ),
        minSeconds: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 604_800, description: 'Default 120', examples: [120] }),
        ),
        minRequests: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'Default 300', examples: [300] }),
        ),
        maxSeconds: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 2_592_000, description: 'Default 3600', examples: [3600] }),
        ),
        confirm: Type.Optional(
          Type.Boolean({ description: 'Wait for `promote` at each rung', examples: [false] }),
        ),
        changedBy,
      }),
      example: ofSomeModule,
      output: Ladder,
      idempotent: false,
      errors: [
        'module-unknown',
        'ladder-running',
        'ladder-not-needed',
        'steps-invalid',
        'not-shadowable',
        'no-healthy-instance',
        'instance-refuses',
        'host-too-old',
      ],
    }),
    stop: operation({
      summary: 'End a ladder; the module stays where it is',
      access: 'operator',
      scope: 'place',
      http: { method: 'DELETE', path: '/admin/ladders/:module' },
      headers: changedByHeader,
      input: closed({ module: moduleName, reason, changedBy }),
      example: ofSomeModule,
      output: Ladder,
      idempotent: true,
      errors: ['module-unknown'],
    }),
    pause: acted('pause', 'Climb no further for now; the share stays, and it still comes down by itself'),
    resume: acted('resume', 'Go on where it was paused'),
    promote: acted('promote', 'The next rung now, whatever the evidence'),
    demote: acted('demote', 'Back into the monolith now, in one flip'),
  },
});
