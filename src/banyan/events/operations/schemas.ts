// What the operations on events answer, as schemas: one shape each, for /openapi.json, the handlers and the
// command line alike.
import type { Static } from 'typebox';
import { nullable, time } from '../../contract/fields.ts';
import { Type } from '../../contract/type.ts';
import { type DeliveryState, deliveryStates } from '../delivery.ts';

const count = () => Type.Integer({ minimum: 0 });
const uuid = () => Type.String({ format: 'uuid' });

export const State = Type.Unsafe<DeliveryState>({ type: 'string', enum: Object.keys(deliveryStates) });

/** A part of the log that cannot be read. */
const place = {
  topic: Type.String(),
  partition: Type.Integer({ minimum: 0 }),
  /** Its first offset, and its last one as far as the log tells. */
  offset: Type.String(),
  last: Type.String(),
  reason: Type.String(),
  remedy: Type.String(),
};

export const ModuleOverview = Type.Object({
  module: Type.String(),
  /** Published and not sent; the age of the oldest of them in seconds. */
  outbox: Type.Object({ waiting: count(), oldestSeconds: Type.Number() }),
  /** The host that sends now, null when nobody does; events a second over the last minute. */
  relay: Type.Object({ holder: nullable(Type.String()), perSecond: Type.Number() }),
  /** What this consumer has not taken from the log; null when the log does not answer. */
  lag: nullable(
    Type.Object({
      events: count(),
      /** Age of the oldest; null when the log cannot tell. */
      seconds: nullable(Type.Number()),
      topics: Type.Array(
        Type.Object({ topic: Type.String(), events: count(), seconds: nullable(Type.Number()) }),
      ),
    }),
  ),
  deliveries: Type.Object({
    waiting: count(),
    queued: count(),
    early: count(),
    'unknown-version': count(),
    dead: count(),
  }),
  heldKeys: count(),
  /** Partitions that this consumer does not read, because something in them cannot be. */
  parked: Type.Array(
    Type.Object({
      ...place,
      /** The host that found it, and since when it stands there. */
      host: Type.String(),
      since: time(),
    }),
  ),
  /** What the log does not let this module do: its relay (sending) or its consumer (reading). */
  refused: Type.Array(
    Type.Object({
      part: Type.Union([Type.Literal('relay'), Type.Literal('consumer')]),
      reason: Type.String(),
      remedy: Type.String(),
      /** The host that is refused, and since when. */
      host: Type.String(),
      since: time(),
    }),
  ),
});

export const EventsOverview = Type.Object({
  log: Type.Object({
    kind: Type.Union([Type.Literal('postgres'), Type.Literal('kafka')]),
    reachable: Type.Boolean(),
  }),
  modules: Type.Array(ModuleOverview),
});
export type EventsOverview = Static<typeof EventsOverview>;

const letter = {
  /** The consumer. */
  module: Type.String(),
  id: uuid(),
  topic: Type.String(),
  key: Type.String(),
  sequence: nullable(Type.Integer()),
  type: Type.String(),
  state: State,
  reason: nullable(Type.String()),
  /** Failed attempts in all, those before a redrive included. */
  attempts: count(),
  /** Later events of its key wait for it; how many. */
  holds: Type.Boolean(),
  behind: count(),
  receivedAt: time(),
  firstFailedAt: nullable(time()),
  /** When it came into its state. */
  since: time(),
  nextAt: nullable(time()),
};

export const DeadLetter = Type.Object(letter);

const Attempted = Type.Object({
  attempt: Type.Integer(),
  host: Type.String(),
  error: Type.String(),
  stack: nullable(Type.String()),
  at: time(),
  /** Of its span; null when a host of the version before made it. */
  traceparent: nullable(Type.String()),
});

const Audited = Type.Object({
  at: time(),
  action: Type.String(),
  by: Type.String(),
  why: nullable(Type.String()),
  detail: Type.Unknown(),
  /** The value before an edit. */
  original: nullable(Type.String()),
  /** What the edit wrote in its place; null where a host of an older version wrote it. */
  replacement: nullable(Type.String()),
});

const content = {
  /** The data as JSON; null when it is none, or when nothing of it is kept. */
  data: Type.Unknown(),
  /** What is not JSON, as text; null when it is no text either. */
  text: nullable(Type.String()),
};

const whole = {
  ...letter,
  /** What the state means. */
  meaning: Type.String(),
  history: Type.Array(Attempted),
  audit: Type.Array(Audited),
};

/** The person who published it, and when. */
export const ByHand = Type.Object({ by: Type.String(), at: time() });

/** Null: no person published it, or the store of the module that did is not within this host's reach. */
const byHand = nullable(ByHand);

export const DeadLetterDetails = Type.Object({
  ...whole,
  headers: nullable(Type.Record(Type.String(), Type.String())),
  ...content,
  /** The bytes as they came (or as edited), in base64; null when done. */
  raw: nullable(Type.String()),
  bytes: count(),
  /** Other consumers that have this event in the same state. */
  alsoIn: Type.Array(Type.String()),
  /** Headers that are not sent again: a redrive makes them new, or leaves them out. */
  notSentAgain: Type.Array(Type.String()),
  byHand,
});
export type DeadLetterDetails = Static<typeof DeadLetterDetails>;

export const Decided = Type.Object({
  items: Type.Array(
    Type.Object({
      module: Type.String(),
      id: uuid(),
      state: State,
      /** The earlier event of its key that it waits for. */
      behind: nullable(uuid()),
    }),
  ),
});
export type Decided = Static<typeof Decided>;

const ChangedHeader = Type.Object({
  name: Type.String(),
  before: Type.String(),
  /** Null: left out. */
  after: nullable(Type.String()),
});

export const TriedDelivery = Type.Object({
  module: Type.String(),
  id: uuid(),
  type: Type.String(),
  /** It would be handled: the listener came to its end. */
  works: Type.Boolean(),
  /** The listener was called. It is not where the data cannot be read, or only the data was to be checked. */
  ran: Type.Boolean(),
  error: Type.Optional(Type.String()),
  stack: Type.Optional(Type.String()),
  /** What is wrong with the data, by the path into it. */
  errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  /** Why it says nothing of the event: it met a lock, its time, a lost connection. Try once more. */
  disturbed: Type.Optional(Type.String()),
  publishes: Type.Array(
    Type.Object({
      module: Type.String(),
      type: Type.String(),
      key: Type.String(),
      data: Type.Unknown(),
    }),
  ),
  /** Headers that a redrive would make new (`after` is one such) or leave out. */
  headers: Type.Array(ChangedHeader),
  tookMs: Type.Number({ minimum: 0 }),
});
export type TriedDelivery = Static<typeof TriedDelivery>;

export const Skipped = Type.Object({
  items: Type.Array(
    Type.Object({
      /** The consumer that goes on behind `last`. */
      module: Type.String(),
      topic: Type.String(),
      partition: Type.Integer({ minimum: 0 }),
      offset: Type.String(),
      last: Type.String(),
    }),
  ),
});
export type Skipped = Static<typeof Skipped>;

export const HeldKey = Type.Object({
  module: Type.String(),
  topic: Type.String(),
  key: Type.String(),
  /** The event that holds it, or did before it was dropped. */
  id: uuid(),
  type: Type.String(),
  state: State,
  reason: nullable(Type.String()),
  since: time(),
  behind: count(),
});

export const WholeEvent = Type.Object({
  id: uuid(),
  topic: Type.String(),
  type: nullable(Type.String()),
  key: Type.String(),
  sequence: nullable(Type.Integer()),
  /** When the change was made. */
  time: nullable(time()),
  correlationId: nullable(Type.String()),
  causationId: nullable(Type.String()),
  traceparent: nullable(Type.String()),
  byHand,
  ...content,
  /** `outbox`: waits to be sent. `log`: sent. `unknown`: not from an outbox here, or forgotten. */
  place: Type.Union([Type.Literal('outbox'), Type.Literal('log'), Type.Literal('unknown')]),
  sentAt: nullable(time()),
  /** Where it stands in the log; null when it was not found there. */
  log: nullable(Type.Object({ partition: Type.Integer(), offset: Type.String(), at: time() })),
  deliveries: Type.Array(Type.Object(whole)),
});
export type WholeEvent = Static<typeof WholeEvent>;

export const Replayed = Type.Object({
  replayed: count(),
  skipped: count(),
  until: time(),
  /** There is more: ask again with it. Null: done. */
  nextCursor: nullable(Type.String()),
});
export type Replayed = Static<typeof Replayed>;

export const Tailed = Type.Object({
  items: Type.Array(
    Type.Object({
      id: Type.String(),
      topic: Type.String(),
      partition: Type.Integer(),
      offset: Type.String(),
      at: time(),
      type: Type.String(),
      key: Type.String(),
      sequence: nullable(Type.Integer()),
      correlationId: nullable(Type.String()),
      traceparent: nullable(Type.String()),
      /** What is wrong with its attributes. */
      wrong: nullable(Type.String()),
      ...content,
    }),
  ),
  /** Ask again with it, at once: what arrives meanwhile is not missed. */
  nextCursor: Type.String(),
});
export type Tailed = Static<typeof Tailed>;

const faults = { lost: count(), doubled: count(), inverted: count() };

export const Verified = Type.Object({
  from: time(),
  until: time(),
  ...faults,
  inFlight: count(),
  dead: count(),
  foreign: count(),
  /** Of the foreign ones, with numbers that their owner never drew: its store lacks commits of which the log knows. */
  ahead: count(),
  /** Parts of the log that could not be read: what stands there is lost, unless a consumer had it before. */
  unreadable: Type.Array(Type.Object(place)),
  topics: Type.Array(
    Type.Object({
      topic: Type.String(),
      sent: count(),
      waiting: count(),
      logged: count(),
      /** Repeats on the wire: the inboxes drop them. */
      repeated: count(),
      /** In the log, though no outbox had them. */
      foreign: count(),
      ahead: count(),
      /** The first of those in the log. */
      aheadFrom: nullable(Type.Object({ partition: count(), offset: Type.String(), at: time() })),
      ...faults,
      consumers: Type.Array(
        Type.Object({
          module: Type.String(),
          expected: count(),
          done: count(),
          open: count(),
          dead: count(),
          dropped: count(),
          inFlight: count(),
          ...faults,
        }),
      ),
    }),
  ),
  /** At most ten of each fault and place. */
  examples: Type.Array(
    Type.Object({
      fault: Type.String(),
      where: Type.String(),
      topic: Type.String(),
      id: Type.String(),
      key: Type.String(),
      sequence: nullable(Type.Integer()),
    }),
  ),
});
export type Verified = Static<typeof Verified>;
