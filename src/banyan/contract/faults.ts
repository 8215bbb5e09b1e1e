// What is wrong with a value, by its schema, at a bounded cost: the walk ends with the eighth fault and never looks past
// the items that an array may have, where TypeBox's own goes through everything that came to name the first eight.
// Guarantees: the same faults in the same order and words as TypeBox finds (faults.test.ts compares them); the words
// for a single value are TypeBox's own. It must not know what a client is told of them.
import { escapePointer } from './pointer.ts';

export interface Fault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/** TypeBox's judgement of one value by a schema without inner ones. */
export type JudgeValue = (schema: object, value: unknown) => readonly Fault[];

/** As many as TypeBox names by default: whoever mends eight may ask again. */
export const MAX_FAULTS = 8;

type Node = Readonly<Record<string, unknown>>;

/** Keywords whose schemas are walked here; all others judge the value itself. */
const walked = new Set([
  'items',
  'properties',
  'required',
  'additionalProperties',
  'patternProperties',
  'anyOf',
]);

export function findFaults(schema: object, value: unknown, judge: JudgeValue): readonly Fault[] {
  const walk = new Walk(judge);
  walk.value(schema as Node, value, '');
  return walk.faults;
}

class Walk {
  readonly faults: Fault[] = [];
  readonly #judge: JudgeValue;

  constructor(judge: JudgeValue) {
    this.#judge = judge;
  }

  get #full(): boolean {
    return this.faults.length >= MAX_FAULTS;
  }

  #add(keyword: string, instancePath: string, params: object = {}, message = ''): void {
    if (!this.#full) this.faults.push({ keyword, instancePath, params, message });
  }

  value(schema: Node, value: unknown, path: string): void {
    if (this.#full) return;
    const { first, last } = keywordsOf(schema);
    this.#own(first, value, path);
    if (Array.isArray(value)) this.#items(schema, value, path);
    else if (typeof value === 'object' && value !== null)
      this.#members(schema, value as Record<string, unknown>, path);
    this.#own(last, value, path);
    if (Array.isArray(schema.anyOf)) this.#variants(schema.anyOf as Node[], value, path);
  }

  /** What keywords without inner schemas say of the value. */
  #own(keywords: object | undefined, value: unknown, path: string): void {
    if (!keywords) return;
    for (const { keyword, params, message } of this.#judge(keywords, value))
      this.#add(keyword, path, params, message);
  }

  #members(schema: Node, value: Record<string, unknown>, path: string): void {
    const required = (schema.required ?? []) as readonly string[];
    const missing = required.filter((name) => !Object.hasOwn(value, name));
    if (missing.length > 0) this.#add('required', path, { requiredProperties: missing });
    const properties = schema.properties as Readonly<Record<string, Node>> | undefined;
    if (schema.additionalProperties === false) this.#strangers(properties ?? {}, value, path);
    for (const one of Object.values((schema.patternProperties ?? {}) as Record<string, Node>))
      for (const name of Object.keys(value)) {
        if (this.#full) return;
        this.value(one, value[name], `${path}/${escapePointer(name)}`);
      }
    for (const [name, one] of Object.entries(properties ?? {}))
      if (Object.hasOwn(value, name) && (required.includes(name) || value[name] !== undefined))
        this.value(one, value[name], `${path}/${escapePointer(name)}`);
  }

  #strangers(known: object, value: object, path: string): void {
    const found: string[] = [];
    for (const name in value) {
      if (Object.hasOwn(known, name)) continue;
      found.push(name);
      this.#add('boolean', `${path}/${escapePointer(name)}`);
      if (this.#full) return;
    }
    if (found.length > 0) this.#add('additionalProperties', path, { additionalProperties: found });
  }

  #items({ items, maxItems }: Node, value: readonly unknown[], path: string): void {
    if (!items) return;
    const most = Math.min(value.length, (maxItems as number | undefined) ?? Number.POSITIVE_INFINITY);
    for (let at = 0; at < most && !this.#full; at += 1) this.value(items as Node, value[at], `${path}/${at}`);
  }

  #variants(variants: readonly Node[], value: unknown, path: string): void {
    const tried = variants.map((one) => {
      const walk = new Walk(this.#judge);
      walk.value(one, value, path);
      return walk.faults;
    });
    if (tried.some((faults) => faults.length === 0)) return;
    for (const one of tried.flat()) this.#add(one.keyword, one.instancePath, one.params, one.message);
    this.#add('anyOf', path, {}, 'must match a schema in anyOf');
  }
}

interface Keywords {
  /** The type, of which TypeBox speaks before it looks inside. */
  readonly first: object | undefined;
  readonly last: object | undefined;
}

const split = new WeakMap<object, Keywords>();

function keywordsOf(schema: Node): Keywords {
  let found = split.get(schema);
  if (!found) {
    const { type, ...more } = schema;
    const last = Object.entries(more).filter(([keyword]) => !walked.has(keyword));
    found = {
      first: type === undefined ? undefined : { type },
      last: last.length > 0 ? Object.fromEntries(last) : undefined,
    };
    split.set(schema, found);
  }
  return found;
}
