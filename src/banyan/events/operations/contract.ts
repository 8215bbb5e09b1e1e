// What an operator can ask of events: the routes under /admin/events, for those with the scope, and publishing by
// hand. The command line is a client of exactly this.

import { closed, defineContract, nothing, operation, page } from '../../contract/contract.ts';
import { id, line, paging, prose, time } from '../../contract/fields.ts';
import { changedBy, changedByHeader, ofSomeModule } from '../../contract/operator-fields.ts';
import { Type } from '../../contract/type.ts';
import { LOG_DAYS } from '../../log/port.ts';
import { MAX_EVENT_BYTES } from '../cloudevents.ts';
import { type OpenDeliveryState, openDeliveryStates } from '../delivery.ts';
import { ofLastHour, ofPublish, ofReplay, ofSkip, ofTail } from './examples.ts';
import {
  DeadLetter,
  DeadLetterDetails,
  Decided,
  EventsOverview,
  HeldKey,
  Replayed,
  Skipped,
  Tailed,
  TriedDelivery,
  Verified,
  WholeEvent,
} from './schemas.ts';
import { selection } from './selection.ts';

/** The log's last day goes while it is looked at. */
export const VERIFY_MOST_DAYS = LOG_DAYS - 1;

const name = () => Type.String({ minLength: 1, maxLength: 100 });
const why = prose({ minLength: 1, maxLength: 1_000, examples: ['Its order was a test.'] });
const ids = Type.Optional(Type.Array(id(), { minItems: 1, maxItems: 1000 }));
/** An example that selects by the module alone. */
const noSelection = { type: undefined, reason: undefined, key: undefined, olderThan: undefined };
/** Of what takes the data of any event: room for the largest, and to say of a larger one what is wrong with it. */
const MAX_BODY_BYTES = 2 * MAX_EVENT_BYTES;
const cursor = Type.Optional(Type.String({ minLength: 1, maxLength: 8_000 }));

export const events = defineContract('events', {
  summary: 'Events on their way, and what became of them',
  errors: {
    'event-unknown': { status: 404, title: 'No such event' },
    'letter-unknown': { status: 404, title: 'No such dead letter' },
    'module-unknown': { status: 404, title: 'No such module' },
    'topic-unknown': { status: 404, title: 'No such topic' },
    'not-at-rest': { status: 409, title: 'The delivery is not in a state in which this can be decided' },
    'not-repairable': { status: 409, title: 'No data could make this event readable' },
    'not-replayable': { status: 409, title: 'The consumer declares nothing of this topic replayable' },
    'replay-stopped': { status: 409, title: 'An event of the past was not handled' },
    'not-parked': { status: 404, title: 'No consumer stands there' },
    'log-unreadable': { status: 409, title: 'A part of the log cannot be read' },
    'log-unreachable': { status: 503, title: 'The log does not answer' },
    'store-elsewhere': { status: 421, title: 'This host has no store of the module' },
  },
  operations: {
    overview: operation({
      summary: 'How the events of every module are doing',
      access: 'operator',
      scope: ['read', 'events'],
      http: { method: 'GET', path: '/admin/events' },
      input: nothing,
      output: EventsOverview,
      idempotent: true,
      errors: ['store-elsewhere'],
    }),
    dead: operation({
      summary: 'Deliveries that failed: why, how often, since when; the longest first',
      description: 'The dead letters, unless another state is asked for.',
      access: 'operator',
      scope: ['read', 'events'],
      http: { method: 'GET', path: '/admin/events/dead' },
      input: closed({
        module: Type.Optional(name()),
        state: Type.Optional(
          Type.Unsafe<OpenDeliveryState>({ type: 'string', enum: [...openDeliveryStates] }),
        ),
        ...selection,
        ...paging,
      }),
      example: (contracts) => ({ ...ofSomeModule(contracts), ...noSelection, cursor: undefined }),
      output: Type.Object({
        ...page(DeadLetter).properties,
        /** How many there are in all, over all pages; on the first page alone. */
        total: Type.Optional(Type.Integer({ minimum: 0 })),
      }),
      idempotent: true,
      errors: ['module-unknown', 'store-elsewhere'],
    }),
    letter: operation({
      summary: 'One delivery that failed, with every error, its stack and its bytes',
      access: 'operator',
      scope: 'events',
      http: { method: 'GET', path: '/admin/events/dead/:id' },
      input: closed({
        id: id(),
        module: Type.Optional(name()),
        any: Type.Optional(Type.Boolean({ description: 'Also one that is done or dropped.' })),
      }),
      example: (contracts) => ({ ...ofSomeModule(contracts), any: undefined }),
      output: DeadLetterDetails,
      idempotent: true,
      errors: ['letter-unknown', 'module-unknown', 'store-elsewhere'],
    }),
    redrive: operation({
      summary: 'Try it again, in its place in the order of its key',
      description:
        'At every consumer where it is at rest, or at the one named. `data` replaces the data of the event: it is ' +
        'checked as the consumer will check it; what it was and what it became are kept.',
      access: 'operator',
      scope: 'events',
      http: { method: 'POST', path: '/admin/events/dead/:id/redrive' },
      headers: changedByHeader,
      input: closed({
        id: id(),
        module: Type.Optional(name()),
        data: Type.Optional(Type.Unknown()),
        changedBy,
      }),
      maxBodyBytes: MAX_BODY_BYTES,
      example: (contracts) => ({ ...ofSomeModule(contracts), data: undefined }),
      output: Decided,
      idempotent: false,
      errors: ['letter-unknown', 'module-unknown', 'not-at-rest', 'not-repairable', 'store-elsewhere'],
    }),
    try: operation({
      summary: 'Would it work? The listener as it is, in a transaction that is rolled back',
      description:
        'Answers whether it came to its end, what went wrong, and what it would publish. Nothing of it takes effect, and ' +
        'nothing leaves. `data` is tried instead of what came; `checkOnly` only says whether the data can be read.',
      access: 'operator',
      scope: 'events',
      http: { method: 'POST', path: '/admin/events/dead/:id/try' },
      input: closed({
        id: id(),
        module: Type.Optional(name()),
        data: Type.Optional(Type.Unknown()),
        checkOnly: Type.Optional(Type.Boolean()),
      }),
      maxBodyBytes: MAX_BODY_BYTES,
      example: (contracts) => ({ ...ofSomeModule(contracts), data: undefined }),
      output: TriedDelivery,
      idempotent: true,
      errors: ['letter-unknown', 'module-unknown', 'not-at-rest', 'store-elsewhere'],
    }),
    redriveMany: operation({
      summary:
        'Try all dead letters of a module again, those of a selection or those named, each key in its order',
      description:
        'At once, or so many a second: then each has a time before which it is not tried. It holds whichever host tries it.',
      access: 'operator',
      scope: 'events',
      http: { method: 'POST', path: '/admin/events/redrive' },
      headers: changedByHeader,
      input: closed({
        module: Type.Optional(name()),
        ids,
        ...selection,
        perSecond: Type.Optional(Type.Number({ minimum: 0.01, maximum: 1000, examples: [10] })),
        changedBy,
      }),
      example: (contracts) => ({ ...ofSomeModule(contracts), ...noSelection, ids: undefined }),
      output: Type.Object({
        redriven: Type.Integer({ minimum: 0 }),
        /** With a rate: how long until the last of them is tried. */
        lastAfterSeconds: Type.Optional(Type.Number({ minimum: 0 })),
      }),
      idempotent: false,
      errors: ['letter-unknown', 'module-unknown', 'not-at-rest', 'store-elsewhere'],
    }),
    dropMany: operation({
      summary: 'Give up all dead letters of a selection, or those named; later events of their keys go on',
      access: 'operator',
      scope: 'events',
      http: { method: 'POST', path: '/admin/events/drop' },
      headers: changedByHeader,
      input: closed({ module: Type.Optional(name()), ids, ...selection, why, changedBy }),
      example: (contracts) => ({ ...ofSomeModule(contracts), ...noSelection, ids: undefined }),
      output: Type.Object({ dropped: Type.Integer({ minimum: 0 }) }),
      idempotent: false,
      errors: ['letter-unknown', 'module-unknown', 'not-at-rest', 'store-elsewhere'],
    }),
    drop: operation({
      summary: 'Give it up; later events of its key go on',
      access: 'operator',
      scope: 'events',
      http: { method: 'POST', path: '/admin/events/dead/:id/drop' },
      headers: changedByHeader,
      input: closed({
        id: id(),
        module: Type.Optional(name()),
        why,
        changedBy,
      }),
      example: ofSomeModule,
      output: Decided,
      idempotent: false,
      errors: ['letter-unknown', 'module-unknown', 'not-at-rest', 'store-elsewhere'],
    }),
    held: operation({
      summary: 'Keys that do not go on by themselves, and what holds each',
      access: 'operator',
      scope: ['read', 'events'],
      http: { method: 'GET', path: '/admin/events/held' },
      input: closed({ module: Type.Optional(name()), key: selection.key, limit: paging.limit }),
      example: (contracts) => ({ ...ofSomeModule(contracts), key: undefined }),
      output: Type.Object({ items: Type.Array(HeldKey) }),
      idempotent: true,
      errors: ['module-unknown', 'store-elsewhere'],
    }),
    unhandled: operation({
      summary:
        'What of some keys was not handled, at every module; what does not go on by itself comes first',
      description:
        'Also what waits for its next try, and what somebody dropped (of the latest 1000 drops of a module). `keys` are ' +
        'separated by commas, 100 at most.',
      access: 'operator',
      scope: ['read', 'events'],
      http: { method: 'GET', path: '/admin/events/unhandled' },
      input: closed({ keys: line({ minLength: 1, maxLength: 8_000, examples: ['a,b'] }) }),
      output: Type.Object({ items: Type.Array(HeldKey) }),
      idempotent: true,
      errors: ['store-elsewhere'],
    }),
    skip: operation({
      summary: 'Give up a part of the log that cannot be read; its partition goes on behind it',
      description:
        'At every consumer that is parked before exactly this offset (`parked` of GET /admin/events), within 5 s. What ' +
        'stands in it has no effect there. Later events of its keys wait as after any event that is missing.',
      access: 'operator',
      scope: 'events',
      http: { method: 'POST', path: '/admin/events/skip' },
      headers: changedByHeader,
      input: closed({
        topic: name(),
        partition: Type.Integer({ minimum: 0, maximum: 999_999_999 }),
        offset: Type.String({ pattern: '^\\d{1,18}$', examples: ['42'] }),
        why: prose({ minLength: 1, maxLength: 1_000 }),
        changedBy,
      }),
      example: ofSkip,
      output: Skipped,
      idempotent: false,
      errors: ['not-parked', 'topic-unknown', 'store-elsewhere'],
    }),
    show: operation({
      summary: 'One event: where it is, and what became of it at every consumer',
      access: 'operator',
      scope: 'events',
      http: { method: 'GET', path: '/admin/events/:id' },
      input: closed({ id: id() }),
      output: WholeEvent,
      idempotent: true,
      errors: ['event-unknown', 'store-elsewhere'],
    }),
    replay: operation({
      summary: 'Past events of a topic to one consumer once more',
      description:
        'Through the listeners that are declared replayable; what they would publish is suppressed. Works for about ' +
        'ten seconds and answers where to go on: ask again with nextCursor until it is null.',
      access: 'operator',
      scope: 'events',
      http: { method: 'POST', path: '/admin/events/replay' },
      headers: changedByHeader,
      input: closed({
        topic: name(),
        from: time(),
        until: Type.Optional(time()),
        to: name(),
        cursor,
        changedBy,
      }),
      example: ofReplay,
      output: Replayed,
      idempotent: false,
      errors: [
        'topic-unknown',
        'module-unknown',
        'not-replayable',
        'replay-stopped',
        'log-unreadable',
        'log-unreachable',
        'store-elsewhere',
      ],
    }),
    verify: operation({
      summary: 'Outboxes, log and inboxes against one another',
      description: `Over the last hour, or the time given (at most ${VERIFY_MOST_DAYS} days back). Events in flight are not lost.`,
      access: 'operator',
      scope: ['read', 'events'],
      http: { method: 'GET', path: '/admin/events/verify' },
      input: closed({ from: Type.Optional(time()), until: Type.Optional(time()) }),
      example: ofLastHour,
      output: Verified,
      idempotent: true,
      errors: ['log-unreachable', 'store-elsewhere'],
    }),
    tail: operation({
      summary: 'Events as they arrive in the log',
      description:
        'Answers as soon as something arrives, or empty after waitMs (default 10000). Ask again with nextCursor: ' +
        'what arrives in between is not missed. The first answer begins now, or at `from`.',
      access: 'operator',
      scope: 'events',
      http: { method: 'GET', path: '/admin/events/tail' },
      input: closed({
        topic: Type.Optional(name()),
        from: Type.Optional(time()),
        waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 20_000 })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
        cursor,
      }),
      example: ofTail,
      output: Tailed,
      idempotent: true,
      errors: ['topic-unknown', 'log-unreachable', 'store-elsewhere'],
    }),
    publish: operation({
      summary: "Publish an event of a known type through its owner's outbox",
      access: 'admin',
      scope: 'events',
      http: { method: 'POST', path: '/api/events', status: 202 },
      headers: changedByHeader,
      input: closed({
        topic: name(),
        key: Type.String({ minLength: 1, maxLength: 500 }),
        message: closed({
          type: Type.String({ maxLength: 200, description: '<module>.<event>.v<major>' }),
          data: Type.Object({}, { description: 'As /asyncapi.json says of the type' }),
        }),
        changedBy,
      }),
      maxBodyBytes: MAX_BODY_BYTES,
      example: ofPublish,
      output: Type.Object({ id: id(), topic: Type.String(), key: Type.String(), type: Type.String() }),
      idempotent: false,
      errors: ['store-elsewhere'],
    }),
  },
});
