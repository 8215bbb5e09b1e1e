// What an operator can ask of traces: the routes under /admin/traces. Asking for the list has every host keep traces for
// five minutes.
import type { Static } from 'typebox';
import { closed, defineContract, operation } from '../contract/contract.ts';
import { nullable, time } from '../contract/fields.ts';
import { ofSomeModule } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';
import type { Kept } from '../telemetry/trace-shape.ts';

const KeptWord = Type.Unsafe<Kept>({ type: 'string', enum: ['failed', 'slow', 'sampled'] });
const module = Type.String({ minLength: 1, maxLength: 100 });
const traceId = Type.String({
  pattern: '^[0-9a-f]{32}$',
  description: 'The trace of a traceparent: 32 hexadecimal digits',
  examples: ['4bf92f3577b34da6a3ce929d0e0e4736'],
});

const Silent = Type.Object(
  { id: Type.String(), reason: Type.String() },
  { description: 'A live host that did not say what it knows' },
);

export const TraceItem = Type.Object({
  trace: Type.String(),
  kept: nullable(KeptWord),
  name: Type.String({ description: 'What began it, or the first part that is known' }),
  rooted: Type.Boolean({ description: 'False: where it began is not known' }),
  at: time(),
  ms: Type.Number({ description: 'From the first beginning to the last end, by the clocks of the hosts' }),
  failed: Type.Boolean(),
  spans: Type.Integer(),
  modules: Type.Array(Type.String()),
  keys: Type.Array(Type.String(), { description: 'Keys of its events, and parts of its paths' }),
});
export type TraceItem = Static<typeof TraceItem>;

export const Traces = Type.Object({
  /** Until when hosts keep traces. */
  recordingUntil: time(),
  items: Type.Array(TraceItem),
  /** How many there are that were asked for, those shown among them. */
  found: Type.Integer(),
  silent: Type.Array(Silent),
});
export type Traces = Static<typeof Traces>;

export const TraceSpan = Type.Object({
  id: Type.String(),
  /** Null: it began the trace. Of an entry its parent is the client's own. */
  parent: nullable(Type.String()),
  name: Type.String(),
  kind: Type.String({ description: 'server, client, producer, consumer or internal' }),
  host: Type.String(),
  side: Type.Union([Type.Literal('in-process'), Type.Literal('service')]),
  module: nullable(Type.String()),
  at: time(),
  /** Milliseconds after the trace's beginning. */
  offsetMs: Type.Number(),
  ms: Type.Number(),
  failed: Type.Boolean(),
  entry: Type.Boolean(),
  keys: Type.Array(Type.String()),
  attributes: Type.Record(Type.String(), Type.Unknown()),
  /** Of an event that was handled: how long it lay in the log. */
  waitedMs: Type.Optional(Type.Number()),
});
export type TraceSpan = Static<typeof TraceSpan>;

export const Missing = Type.Object({
  /** The span that is known beside it. */
  span: Type.String(),
  where: Type.Union([Type.Literal('above'), Type.Literal('below')]),
  what: Type.String(),
});
export type Missing = Static<typeof Missing>;

export const Trace = Type.Object({
  trace: Type.String(),
  kept: nullable(KeptWord),
  at: time(),
  ms: Type.Number(),
  failed: Type.Boolean(),
  /** In the order in which they began. */
  spans: Type.Array(TraceSpan),
  missing: Type.Array(Missing),
  silent: Type.Array(Silent),
});
export type Trace = Static<typeof Trace>;

export const traces = defineContract('traces', {
  summary: 'How one request went through all hosts',
  errors: { 'trace-unknown': { status: 404, title: 'No host knows this trace' } },
  operations: {
    list: operation({
      summary: 'Traces of all hosts, the newest first; has them kept for the next five minutes',
      description:
        'Kept are those that failed, those that were slow for what they are, and one in a hundred; all others are known ' +
        'for a minute. Nothing is recorded while nobody asks.',
      access: 'operator',
      scope: 'read',
      http: { method: 'GET', path: '/admin/traces' },
      input: closed({
        module: Type.Optional(module),
        min: Type.Optional(
          Type.Number({
            minimum: 0,
            maximum: 86_400_000,
            description: 'Milliseconds at least',
            examples: [50],
          }),
        ),
        failed: Type.Optional(Type.Boolean({ description: 'Only those that failed', examples: [false] })),
        key: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 500,
            description: 'The key of an event, a part of a path, or the id of a trace',
          }),
        ),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, examples: [100] })),
      }),
      example: (contracts) => ({ ...ofSomeModule(contracts), key: undefined }),
      output: Traces,
      idempotent: true,
    }),
    show: operation({
      summary: 'One trace with all its spans, and what is missing of it',
      access: 'operator',
      scope: 'read',
      http: { method: 'GET', path: '/admin/traces/:trace' },
      input: closed({ trace: traceId }),
      output: Trace,
      idempotent: true,
      errors: ['trace-unknown'],
    }),
  },
});
