// What a record from the log is to one consumer: an event it listens to, one it does not, one of a version it
// does not know yet, or poison. Decided from the record and the contracts alone, without a database; never throws.
import type { Contract, EventDefinition } from '../contract/contract.ts';
import { TOO_DEEP, tooDeep } from '../contract/depth.ts';
import type { LogRecord } from '../log/port.ts';
import { type Attributes, attributesOf, MAX_EVENT_BYTES, toEnvelope } from './cloudevents.ts';
import type { Envelope } from './envelope.ts';
import type { Listener } from './listener.ts';
import { checkOf } from './publisher.ts';

/** Characters of the way to what lies too deep: the beginning says where to look. */
const MAX_OF_PATH = 200;

export type Reading =
  | {
      readonly kind: 'event';
      readonly attributes: Attributes;
      readonly listener: Listener;
      readonly envelope: Envelope;
    }
  /** An event that others listen to: it only moves its key on. */
  | { readonly kind: 'ignored'; readonly attributes: Attributes }
  | { readonly kind: 'unknown-version'; readonly attributes: Attributes; readonly reason: string }
  /** `holds`: this consumer should have handled it, so its key waits for a person. */
  | {
      readonly kind: 'poison';
      readonly attributes: Attributes;
      readonly reason: string;
      readonly holds: boolean;
    };

export class Reader {
  readonly #listeners = new Map<string, Listener>();
  /** `<module>.<event>` of everything that is published on a topic, with the major version known here. */
  readonly #published = new Map<string, EventDefinition>();
  readonly topics: readonly string[];

  constructor(consumer: string, listeners: readonly Listener[], contracts: readonly Contract[]) {
    for (const contract of contracts) {
      for (const event of Object.values(contract.events as Record<string, EventDefinition>))
        this.#published.set(nameOf(event), event);
    }
    for (const listener of listeners) {
      const { event } = listener;
      if (this.#published.get(nameOf(event))?.type !== event.type) {
        throw new Error(
          `${consumer} listens to "${event.type}" on the topic "${event.topic}", which no module publishes. ` +
            `Add the event to the contract of "${event.module}", or remove the listener from ${consumer}'s module.ts.`,
        );
      }
      if (this.#listeners.has(event.type)) {
        throw new Error(
          `${consumer} has two listeners on "${event.type}". Make them one: they share one transaction.`,
        );
      }
      this.#listeners.set(event.type, listener);
    }
    this.topics = [...new Set(listeners.map((listener) => listener.event.topic))].sort();
  }

  read(topic: string, record: LogRecord, place: string): Reading {
    const attributes = attributesOf(record, place);
    const poison = (reason: string, holds: boolean): Reading => ({
      kind: 'poison',
      attributes,
      reason,
      holds,
    });
    if (attributes.wrong) return poison(attributes.wrong, false);
    const { type } = attributes;
    const listener = this.#listeners.get(type);
    if (listener?.event.topic === topic) return this.#event(listener, attributes, record, poison);

    const name = type.replace(/\.v\d+$/, '');
    const known = this.#published.get(name);
    if (known?.topic !== topic)
      return poison(`unknown type: nothing of this name is published on ${topic}`, false);
    if (known.type === type || !this.#listeners.has(known.type)) return { kind: 'ignored', attributes };
    return { kind: 'unknown-version', attributes, reason: `only ${known.type} is known here` };
  }

  #event(
    listener: Listener,
    attributes: Attributes,
    record: LogRecord,
    poison: (reason: string, holds: boolean) => Reading,
  ): Reading {
    const bytes = Buffer.isBuffer(record.value) ? record.value : Buffer.from(record.value ?? '');
    if (bytes.length > MAX_EVENT_BYTES) {
      return poison(`too large: ${bytes.length} bytes, the limit is ${MAX_EVENT_BYTES}`, true);
    }
    let data: unknown;
    try {
      data = JSON.parse(bytes.toString('utf8'));
    } catch (error) {
      return poison(`not JSON: ${(error as Error).message}`, true);
    }
    const deep = tooDeep(data);
    if (deep !== undefined) return poison(`too deep: ${deep.slice(0, MAX_OF_PATH)} ${TOO_DEEP}`, true);
    const check = checkOf(listener.event);
    if (!check.fits(data)) {
      const wrong = check.errors(data).map(({ path, message }) => `${path || '/'} ${message}`);
      return poison(`wrong schema: ${wrong.join('; ')}`, true);
    }
    return { kind: 'event', attributes, listener, envelope: toEnvelope(attributes, record.headers, data) };
  }
}

function nameOf(event: EventDefinition): string {
  return `${event.module}.${event.name}`;
}
