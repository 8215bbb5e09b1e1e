// Publishing: an event, checked against its schema, becomes a row of the outbox in the caller's transaction.
// What caused it comes from the flow: inside a listener that is the event being handled, else nothing.
// It must not know who sends the row, nor when.
import { randomFillSync } from 'node:crypto';
import type { TSchema } from 'typebox';
import { v7 as uuidv7 } from 'uuid';
import { currentFlow } from '../context/call.ts';
import type { Contract, DataOf, EventDefinition } from '../contract/contract.ts';
import { type Check, compile } from '../contract/validation.ts';
import { countValues, mayHaveTooManyValues } from '../contract/value-count.ts';
import type { TrialReader } from '../postgres/trial.ts';
import type { Publisher } from '../store/store.ts';
import { MAX_EVENT_BYTES, MAX_EVENT_VALUES, MAX_KEY_LENGTH } from './cloudevents.ts';

/** The values of `emit_event($n::uuid, $n, $n, $n, $n::json, $n, $n, $n)`, in this order. */
export type EventArguments = readonly [
  id: string,
  topic: string,
  key: string,
  type: string,
  data: string,
  correlationId: string | null,
  causationId: string | null,
  traceparent: string | null,
];

/** An event does not fit its own schema, or is published by a module that does not own it. */
export class EventRefused extends Error {
  readonly errors: readonly { path: string; message: string }[];
  constructor(message: string, errors: readonly { path: string; message: string }[] = []) {
    super(message);
    this.name = 'EventRefused';
    this.errors = errors;
  }
}

/** So many, or so many characters of data, go out in one statement. */
const MAX_ROWS = 100;
const MAX_TEXT = 1_000_000;

export function createPublisher(contract: Contract): Publisher {
  const emit = `${contract.module}.emit_event`;
  const one = `SELECT ${emit}($1::uuid, $2::text, $3::text, $4::text, $5::json, $6::text, $7::text, $8::text)`;
  const many = `SELECT ${emit}(id, topic, key, type, data::json, correlation_id, causation_id, traceparent)
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
      AS e (id, topic, key, type, data, correlation_id, causation_id, traceparent)`;
  return {
    trialReader: trialReader(contract.module),
    check(event, data) {
      if (event.module !== contract.module) {
        throw new EventRefused(
          `${contract.module} published ${event.type}, which belongs to ${event.module}. A module publishes the events of its own contract only.`,
        );
      }
      const row = eventArguments(event, data as never);
      return { id: row[0], row: currentFlow()?.event?.replay ? undefined : row };
    },
    write: (rows) =>
      inPortions(rows as readonly EventArguments[]).map((some) =>
        some.length === 1
          ? { text: one, values: [...some[0]!] }
          : { text: many, values: some[0]!.map((_, column) => some.map((row) => row[column])) },
      ),
  };
}

/**
 * What a trial would publish: the rows of its own transaction above those that were there before, in their order. Snapshots
 * do not list what was written under a savepoint, so a row's own transaction is asked for. A row has but the low half of
 * its number; what counts as after now was before it, one turn of 2^32 ago.
 */
function trialReader(schema: string): TrialReader {
  return {
    before: `SELECT coalesce(max(position), 0)::text AS last FROM ${schema}.event_outbox`,
    after: `
      SELECT '${schema}' AS module, type, key, data::jsonb AS data
      FROM ${schema}.event_outbox o, LATERAL (
        SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next, o.xmin::text::bigint AS low) x,
        LATERAL (SELECT (next >> 32 << 32) + low AS number) y
      WHERE position > $1::bigint
        AND pg_xact_status((CASE WHEN number > next + 2147483648 THEN number - 4294967296 ELSE number END)::text::xid8)
          = 'in progress'
      ORDER BY position`,
  };
}

function inPortions(rows: readonly EventArguments[]): EventArguments[][] {
  const portions: EventArguments[][] = [];
  let room = 0;
  for (const row of rows) {
    const text = row[4].length;
    if (room < text || portions.at(-1)!.length === MAX_ROWS) {
      portions.push([]);
      room = MAX_TEXT;
    }
    portions.at(-1)!.push(row);
    room -= text;
  }
  return portions;
}

/** Checks an event and answers the values for `emit_event`. Throws EventRefused with the paths that are wrong. */
export function eventArguments<E extends EventDefinition>(event: E, data: DataOf<E>): EventArguments {
  const check = checkOf(event);
  if (!check.fits(data)) {
    const errors = check.errors(data);
    throw new EventRefused(`${event.type} does not fit its schema: ${JSON.stringify(errors)}`, errors);
  }
  const key = (data as Record<string, unknown>)[event.key];
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY_LENGTH || key.includes('\u0000')) {
    const message = `must be a string of 1 to ${MAX_KEY_LENGTH} characters`;
    throw new EventRefused(`${event.type} has no key: its field "${event.key}" ${message}`, [
      { path: `/${event.key}`, message },
    ]);
  }
  const text = JSON.stringify(data);
  if (text.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(text) > MAX_EVENT_BYTES) {
    throw new EventRefused(
      `${event.type} has ${Buffer.byteLength(text)} bytes; the limit is ${MAX_EVENT_BYTES}. Store what is large and publish its id.`,
      [{ path: '', message: `is larger than ${MAX_EVENT_BYTES} bytes` }],
    );
  }
  refuseCrowded(event, text);
  const flow = currentFlow();
  const cause = flow?.event;
  return [
    uuidv7({ random: someRandom() }),
    event.topic,
    key,
    event.type,
    text,
    cause?.correlationId ?? null,
    cause?.id ?? null,
    flow?.traceparent ?? null,
  ];
}

/** Counted as the HTTP door counts. What is too short to have so many costs a comparison; 200 kB cost 0.3 ms. */
function refuseCrowded(event: EventDefinition, text: string): void {
  if (!mayHaveTooManyValues(text.length, MAX_EVENT_VALUES)) return;
  const values = countValues(Buffer.from(text));
  if (values <= MAX_EVENT_VALUES) return;
  throw new EventRefused(
    `${event.type} has ${values} values (items, members and what holds them); the limit is ${MAX_EVENT_VALUES}, or no operator ` +
      'could send it once more with its data corrected. Publish several events, or store what is large and publish its id.',
    [{ path: '', message: `has more than ${MAX_EVENT_VALUES} values` }],
  );
}

const RANDOM_BYTES = 16;
const random = new Uint8Array(256 * RANDOM_BYTES);
let drawn = random.length;

/** Drawn for 256 events at once: one at a time costs 9 us, a third of what publishing costs its process. */
function someRandom(): Uint8Array {
  if (drawn === random.length) {
    randomFillSync(random);
    drawn = 0;
  }
  drawn += RANDOM_BYTES;
  return random.subarray(drawn - RANDOM_BYTES, drawn);
}

const checks = new WeakMap<TSchema, Check>();

/** The compiled check of an event's data; one per schema in the process. */
export function checkOf(event: EventDefinition): Check {
  let check = checks.get(event.data);
  if (!check) {
    check = compile(event.data);
    checks.set(event.data, check);
  }
  return check;
}
