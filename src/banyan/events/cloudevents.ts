// CloudEvents 1.0 in the Kafka protocol binding's binary mode: attributes as `ce_` headers, the data alone as
// the value. Both logs carry exactly this, so that a consumer in any language reads either.
// Reading never throws: what cannot be read is answered with the reason, for the dead letters.
import { createHash } from 'node:crypto';
import { isCorrelation } from '../context/cause.ts';
import { MAX_VALUES } from '../contract/value-count.ts';
import type { LogRecord } from '../log/port.ts';
import type { Envelope } from './envelope.ts';

/**
 * The largest value that is published or handled, in bytes. Kafka takes 1 MiB of a batch by default
 * (`message.max.bytes`); an event is a fact, and what is larger belongs into storage with its id in the event.
 */
export const MAX_EVENT_BYTES = 512 * 1024;

/** What a request to publish or to mend an event says besides its data. */
const VALUES_AROUND = 10;
/** The most values of an event: with more than a body may have nobody could correct its data and try it again. */
export const MAX_EVENT_VALUES = MAX_VALUES - VALUES_AROUND;

/** An index entry of Postgres takes 2,700 bytes; a key is an id. */
export const MAX_KEY_LENGTH = 500;

/** A row of the outbox, its data still as text: what leaves is byte for byte what was written. */
export type RawEnvelope = Omit<Envelope, 'data' | 'traceparent' | 'instance'> & {
  readonly data: string;
  readonly traceparent: string | null;
  readonly instance?: string | null;
};

export function toRecord(event: RawEnvelope): LogRecord {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_source: event.source,
    ce_type: event.type,
    ce_subject: event.subject,
    ce_time: event.time,
    ce_sequence: String(event.sequence),
    ce_correlationid: event.correlationId,
    'content-type': 'application/json',
  };
  if (event.causationId !== null) headers.ce_causationid = event.causationId;
  if (event.traceparent !== null) headers.traceparent = event.traceparent;
  if (event.instance) headers.ce_instance = event.instance;
  return { key: event.subject, headers, value: event.data };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The attributes of a record. Without a valid id it gets one made of its place, the same at every reading. */
export interface Attributes {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  /** Null: from a producer that gives none, or not readable. Such an event is ordered by its arrival. */
  readonly sequence: number | null;
  readonly time: string;
  /** What is wrong with the attributes; undefined when they can be trusted. */
  readonly wrong: string | undefined;
}

export function attributesOf(record: LogRecord, place: string): Attributes {
  const { headers } = record;
  const id = headers.ce_id;
  const wrongs: string[] = [];
  const validId = id !== undefined && UUID.test(id);
  if (!validId) wrongs.push(`ce_id is ${id === undefined ? 'missing' : 'not a UUID'}`);
  if (headers.ce_specversion !== '1.0')
    wrongs.push(`ce_specversion is ${headers.ce_specversion ?? 'missing'}, not 1.0`);
  if (!headers.ce_type) wrongs.push('ce_type is missing');
  const key = record.key ?? headers.ce_subject ?? '';
  if (key === '') wrongs.push('the key is missing');
  if (key.length > MAX_KEY_LENGTH) wrongs.push(`the key is longer than ${MAX_KEY_LENGTH} characters`);
  const sequence = /^[1-9]\d{0,15}$/.test(headers.ce_sequence ?? '') ? Number(headers.ce_sequence) : null;
  if (headers.ce_sequence !== undefined && sequence === null)
    wrongs.push('ce_sequence is not a positive integer');
  return {
    id: validId ? id.toLowerCase() : idOf(place),
    key: textual(key).slice(0, MAX_KEY_LENGTH),
    type: textual(headers.ce_type ?? ''),
    sequence: validId ? sequence : null,
    time: timeOf(headers.ce_time, record.timestamp),
    wrong: wrongs.length > 0 ? wrongs.join('; ') : undefined,
  };
}

/** When the event was made; when the log got it, if that cannot be read or is no time that Postgres knows. */
function timeOf(text: string | undefined, received: number | undefined): string {
  const made = Date.parse(text ?? '');
  const sane = made > 0 && made < Date.UTC(9999, 0);
  return new Date(sane ? made : (received ?? Date.now())).toISOString();
}

/** What a text column takes: what comes from outside may hold characters that Postgres refuses. */
export function textual(text: string): string {
  return text.replaceAll('\u0000', '\\0').toWellFormed();
}

/** Puts attributes and parsed data together. `headers` may be those of a record or of an inbox row. */
export function toEnvelope(
  attributes: Attributes,
  headers: Readonly<Record<string, string>>,
  data: unknown,
): Envelope {
  return {
    id: attributes.id,
    source: headers.ce_source ?? '',
    type: attributes.type,
    subject: attributes.key,
    time: attributes.time,
    sequence: attributes.sequence ?? 0,
    correlationId: isCorrelation(headers.ce_correlationid) ? headers.ce_correlationid : attributes.id,
    causationId: headers.ce_causationid ?? null,
    traceparent: headers.traceparent ?? headers.ce_traceparent ?? '',
    ...(headers.ce_instance ? { instance: headers.ce_instance } : {}),
    data,
  };
}

/** A UUID (version 8) of the place a record was read from: topic, partition and offset. */
function idOf(place: string): string {
  const hash = createHash('sha256').update(place).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
