// What is kept of a difference so that a person may look at both sides: their answers with every value replaced by its type,
// its length and a keyed hash, so that equal ones are seen to be equal and nobody reads a customer's data. As it is stays
// only what the contract marks `plain`, and the parts of a problem (RFC 9457) that are the house's own.
// The key is the caller's; without it no hash can be tried out.
import { createHmac } from 'node:crypto';
import type { Answer, Shapes } from './comparison.ts';
import { fieldOf, isPlain, itemOf, jsonType, type Shape, unknownShape } from './shape.ts';

export interface Hidden {
  readonly type: string;
  /** Of a text its characters, of a number its digits. */
  readonly length: number;
  readonly hash: string;
}

/** At most so many are kept of an operation, and of one difference no more than lets others in. */
export const MOST_SAMPLES = 50;
export const MOST_OF_ONE = 10;

/** Whether one more is kept: `kept` are those of its operation, by their difference. */
export function mayKeep(kept: ReadonlyMap<string, number>, why: string): boolean {
  let all = 0;
  for (const count of kept.values()) all += count;
  return all < MOST_SAMPLES && (kept.get(why) ?? 0) < MOST_OF_ONE;
}

/** Of one side of a difference. */
export function redacted({ status, body, events }: Answer, shapes: Shapes, key: string | Buffer): unknown {
  const shape = status >= 400 ? problemShape : shapes.body;
  const values = new Redaction(key);
  const shown = {
    status,
    body: values.of(asJson(body), shape),
    events: events.map(({ type, key: subject, data }) => ({
      type,
      key: values.of(subject, unknownShape),
      data: values.of(asJson(data), shapes.events.get(type) ?? unknownShape),
    })),
  };
  return values.isCut ? { ...shown, cutOff: true } : shown;
}

const asJson = (value: unknown): unknown => (value === undefined ? null : JSON.parse(JSON.stringify(value)));

const ours = { type: 'string', plain: true };
const problemShape: Shape = [
  {
    type: 'object',
    properties: {
      type: ours,
      title: ours,
      code: ours,
      status: { type: 'number', plain: true },
      detail: { type: 'string' },
      instance: { type: 'string' },
      errors: {
        type: 'array',
        items: { type: 'object', properties: { path: { type: 'string' }, message: { type: 'string' } } },
      },
    },
  },
];

/** An answer may be any size; a sample is not. */
const MOST_VALUES = 500;

class Redaction {
  readonly #key: string | Buffer;
  #left = MOST_VALUES;
  /** Not all of it is shown. */
  isCut = false;

  constructor(key: string | Buffer) {
    this.#key = key;
  }

  of(value: unknown, shape: Shape): unknown {
    this.#left -= 1;
    const type = jsonType(value);
    if (type === 'null') return null;
    if (Array.isArray(value)) return this.#asFarAsItGoes(value).map((one) => this.of(one, itemOf(shape)));
    if (type === 'object') return this.#object(value as Record<string, unknown>, shape);
    return isPlain(shape, type) ? value : this.#hidden(value, type);
  }

  /** A name that the contract does not have may be a customer's, too. */
  #object(value: Readonly<Record<string, unknown>>, shape: Shape): unknown {
    return Object.fromEntries(
      this.#asFarAsItGoes(Object.entries(value)).map(([name, one]) => {
        const field = fieldOf(shape, name);
        return [field === undefined ? `~${this.#hash(name)}` : name, this.of(one, field ?? unknownShape)];
      }),
    );
  }

  #asFarAsItGoes<T>(all: readonly T[]): readonly T[] {
    if (all.length > this.#left) this.isCut = true;
    return all.slice(0, Math.max(0, this.#left));
  }

  #hidden(value: unknown, type: string): Hidden {
    const text = String(value);
    return { type, length: text.length, hash: this.#hash(`${type} ${text}`) };
  }

  #hash(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex').slice(0, 16);
  }
}
