// What two sides answered to the same request, compared: the status, the body and the events that each would have
// published. Every difference has a place (a JSON Pointer, with `*` for an entry of a list) and words that name it, and
// neither has anything in it that is a customer's: no value, and no name that the contract does not have.
// It knows nothing of noise: that one side differs from itself is noise.ts's to know.
import { escapePointer } from '../../contract/pointer.ts';
import { fieldOf, itemOf, jsonType, type Shape, unknownShape } from './shape.ts';

export interface PublishedEvent {
  readonly type: string;
  readonly key: string;
  readonly data: unknown;
}

/** What one side would have answered, as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly events: readonly PublishedEvent[];
}

/** What the contract says of it: the body's schema (of a success; a problem's names are the house's own) and, by type, those of events. */
export interface Shapes {
  readonly body: Shape;
  readonly events: ReadonlyMap<string, Shape>;
}

export interface Difference {
  /** `value`: both have something there, and of the same type. A mask for ids may hide that, and nothing else. */
  readonly kind: 'value' | 'type' | 'missing' | 'additional' | 'length' | 'status' | 'order';
  readonly path: string;
  /** `near` against `far`, in words. */
  readonly why: string;
}

export interface Compared {
  readonly differences: readonly Difference[];
  /** Where both have a value. */
  readonly places: readonly string[];
}

const noShapes: Shapes = { body: unknownShape, events: new Map() };
/** An answer may be any size; a comparison ends. */
const MOST_VALUES = 5_000;

/** Near first: it is the one that is right. */
export function compared(near: Answer, far: Answer, shapes: Shapes = noShapes): Compared {
  if (near.status !== far.status) {
    const why = `status ${near.status} against ${far.status}`;
    return { differences: [{ kind: 'status', path: '/status', why }], places: [] };
  }
  const walk = new Walk();
  const shape = near.status < 400 ? shapes.body : unknownShape;
  walk.values(plainJson(near.body), plainJson(far.body), shape, { name: 'body', path: '/body', under: '' });
  walk.events(near.events, far.events, shapes.events);
  return { differences: [...walk.differences.values()], places: [...walk.places] };
}

/** To the letter: `compared` would find nothing, at ten times the cost. It may be false of what `compared` takes for the same. */
export function isSame(near: Answer, far: Answer): boolean {
  return near.status === far.status && textOf(near) === textOf(far);
}

const textOf = ({ body, events }: Answer): string => JSON.stringify([body, events]);

/** As it goes over the wire: what is undefined is not there, a date is a text. */
function plainJson(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

interface Position {
  /** What it is in, in words. */
  readonly name: string;
  /** From the top. */
  readonly path: string;
  /** Within `name`. */
  readonly under: string;
}

const within = ({ name, path, under }: Position, step: string): Position => ({
  name,
  path: `${path}/${step}`,
  under: `${under}/${step}`,
});

class Walk {
  readonly differences = new Map<string, Difference>();
  readonly places = new Set<string>();
  #left = MOST_VALUES;

  values(near: unknown, far: unknown, shape: Shape, place: Position): void {
    this.#left -= 1;
    if (this.#left < 0) return;
    const [type, other] = [jsonType(near), jsonType(far)];
    if (type !== other) {
      this.#differs('type', place, `is ${type} against ${other}`);
      return;
    }
    this.places.add(place.path);
    if (type === 'array') this.#lists(near as unknown[], far as unknown[], shape, place);
    else if (type === 'object') this.#objects(near as Fields, far as Fields, shape, place);
    else if (near !== far) this.#differs('value', place, 'differs');
  }

  #lists(near: unknown[], far: unknown[], shape: Shape, place: Position): void {
    if (near.length !== far.length) {
      this.#differs('length', place, 'has another number of entries');
      return;
    }
    near.forEach((one, at) => {
      this.values(one, far[at], itemOf(shape), within(place, '*'));
    });
  }

  #objects(near: Fields, far: Fields, shape: Shape, place: Position): void {
    for (const name of new Set([...Object.keys(near), ...Object.keys(far)])) {
      const field = fieldOf(shape, name);
      const isFree = field === undefined && shape.length > 0;
      const at = within(place, isFree ? '*' : escapePointer(name));
      if (!Object.hasOwn(far, name)) this.#differs('missing', at, 'is missing');
      else if (!Object.hasOwn(near, name))
        this.#differs('additional', at, 'is there, and is not on the near side');
      else this.values(near[name], far[name], field ?? unknownShape, at);
    }
  }

  /** Type by type, each in its order. */
  events(near: readonly PublishedEvent[], far: readonly PublishedEvent[], shapes: Shapes['events']): void {
    const types = new Set([...near, ...far].map(({ type }) => type));
    let complete = true;
    for (const type of types) {
      const [ours, theirs] = [near, far].map((all) => all.filter((one) => one.type === type)) as [
        PublishedEvent[],
        PublishedEvent[],
      ];
      const place = { name: `event ${nameOf(type)}`, path: `/events/${escapePointer(type)}`, under: '' };
      if (ours.length !== theirs.length) {
        complete = false;
        this.#counts(ours.length, theirs.length, place);
      }
      const shape = shapes.get(type) ?? unknownShape;
      for (const [at, { key, data }] of ours.entries()) {
        const other = theirs[at];
        if (other === undefined) break;
        this.values(key, other.key, unknownShape, within(place, 'key'));
        this.values(plainJson(data), plainJson(other.data), shape, within(place, 'data'));
      }
    }
    const order = (all: readonly PublishedEvent[]) => all.map(({ type }) => type).join();
    if (complete && order(near) !== order(far))
      this.#note({ kind: 'order', path: '/events', why: 'events in another order' });
  }

  #counts(near: number, far: number, { name, path }: Position): void {
    const times = near === 0 || far === 0 ? '' : ` (${near} against ${far})`;
    if (far < near) this.#note({ kind: 'missing', path, why: `missing ${name}${times}` });
    else this.#note({ kind: 'additional', path, why: `additional ${name}${times}` });
  }

  #differs(kind: Difference['kind'], { name, path, under }: Position, words: string): void {
    this.#note({ kind, path, why: `${name}${under === '' ? '' : ` ${under}`} ${words}` });
  }

  /** The same of many entries of a list is one. */
  #note(difference: Difference): void {
    const key = `${difference.kind} ${difference.path}`;
    if (!this.differences.has(key)) this.differences.set(key, difference);
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** `parcel-sent` of `parcels.parcel-sent.v1`. */
const nameOf = (type: string): string => /^[^.]+\.(.+)\.v\d+$/.exec(type)?.[1] ?? type;
