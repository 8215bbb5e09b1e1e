// Better data for one delivery: it must be what its consumer can handle, and of the same key. What is wrong with it is said
// by the paths into it, before anything is written.
import type { ModuleEvents } from '../module-events.ts';
import { checkOf, EventRefused } from '../publisher.ts';
import type { Reading } from '../reading.ts';
import type { RestingRow } from './at-rest.ts';

type Unreadable = Extract<Reading, { kind: 'poison' }>;
export type Readable = Extract<Reading, { kind: 'event' }>;

/** Its attributes, which an edit does not touch, keep this consumer from handling it. */
export class NotRepairable extends Error {
  constructor(reading: Exclude<Reading, { kind: 'event' }>) {
    super('reason' in reading ? reading.reason : 'nobody here listens to it');
    this.name = 'NotRepairable';
  }
}

/** Throws EventRefused with the paths that are wrong, or NotRepairable. */
export function edited(
  of: ModuleEvents,
  { id, topic, key, headers }: Pick<RestingRow, 'id' | 'topic' | 'key' | 'headers'>,
  data: unknown,
): { readonly value: Buffer; readonly reading: Readable } {
  const value = Buffer.from(JSON.stringify(data));
  const reading = of.reader.read(topic, { key, headers: headers ?? {}, value }, id);
  if (reading.kind === 'poison' && !reading.attributes.wrong) refuse(of, reading, data);
  if (reading.kind !== 'event') throw new NotRepairable(reading);
  const field = reading.listener.event.key;
  if ((data as Record<string, unknown>)[field] !== key)
    throw new EventRefused('An edit keeps the key', [
      { path: `/${field}`, message: `must stay ${JSON.stringify(key)}: it is the key` },
    ]);
  return { value, reading };
}

/** The consumer could read it but for its data. */
export function refuse(of: ModuleEvents, { attributes, reason }: Unreadable, data: unknown): void {
  const listener = of.listeners.find(({ event }) => event.type === attributes.type);
  if (!listener) return;
  const errors = checkOf(listener.event).errors(data);
  throw new EventRefused(reason, errors.length > 0 ? errors : [{ path: '', message: reason }]);
}
