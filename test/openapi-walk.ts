// Requests held to the document: what is sent, what comes back, its status, type and headers must be as
// /openapi.json says. It notes which operations have answered well.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'vitest';
import type { Answer, CallOptions, Shop } from './shop.ts';

interface Media {
  readonly schema: object;
}

interface Described {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly headers?: object; readonly content?: Readonly<Record<string, Media>> }>
  >;
}

export interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export class Walk {
  readonly #shop: Shop;
  readonly #document: Document;
  readonly #ajv: Ajv2020;
  readonly #checks = new Map<object, ValidateFunction>();
  /** The operations that answered with a success. */
  readonly seen = new Set<string>();

  constructor(shop: Shop, document: Document) {
    this.#shop = shop;
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
    formats.default(this.#ajv);
    this.#ajv.addKeyword('components');
    this.#ajv.addSchema({ $id: 'document', components: document.components } as object);
  }

  get operations(): string[] {
    return Object.values(this.#document.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
  }

  /** Asks, and holds question and answer to the document; a refusal need not fit as a question. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const described = this.#find(method, path.split('?', 1)[0]!);
    const answer = await this.#shop.call(method, path, options);
    const at = `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`;
    const exact = described.responses[answer.status];
    expect(exact, `${at} is not documented`).toBeDefined();
    for (const header of Object.keys(exact!.headers ?? {}))
      expect(answer.headers.has(header) || optional.has(header), `${at} has no ${header}`).toBe(true);
    this.#fits(at, answer, exact!.content);
    if (answer.status < 400) {
      this.seen.add(described.operationId);
      const question = described.requestBody?.content['application/json'];
      if (question) this.#holds(question.schema, options.body, `the body of ${at}`);
    }
    return answer;
  }

  #fits(at: string, answer: Answer, content: Readonly<Record<string, Media>> | undefined): void {
    const type = answer.headers.get('content-type')?.split(';', 1)[0];
    if (!content || answer.status === 304) {
      expect(answer.body, at).toHaveLength(0);
      return;
    }
    const media = content[type!] ?? content[`${type!.split('/', 1)[0]}/*`];
    expect(media, `${at} is of type ${type}, documented are ${Object.keys(content)}`).toBeDefined();
    if (/json/.test(type!)) this.#holds(media!.schema, answer.body, at);
  }

  #holds(schema: object, value: unknown, at: string): void {
    let check = this.#checks.get(schema);
    if (!check) {
      const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/');
      check = this.#ajv.compile(closed(JSON.parse(text)) as object);
      this.#checks.set(schema, check);
    }
    expect(check(value) ? [] : check.errors, at).toEqual([]);
  }

  #find(method: string, path: string): Described {
    const parts = path.split('/');
    const fits = (pattern: string) => {
      const wanted = pattern.split('/');
      return (
        wanted.length === parts.length && wanted.every((one, i) => one.startsWith('{') || one === parts[i])
      );
    };
    const patterns = Object.keys(this.#document.paths).filter(
      (pattern) => fits(pattern) && this.#document.paths[pattern]![method.toLowerCase()],
    );
    // A fixed path comes before a pattern.
    const [best] = patterns.sort((a, b) => a.split('{').length - b.split('{').length);
    expect(best, `${method} ${path} is not documented`).toBeDefined();
    return this.#document.paths[best!]![method.toLowerCase()]!;
  }
}

/** A field that nobody documented is a mistake too, though a client must be ready for new ones. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in copy && !('additionalProperties' in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}

/** Said where there is something to say. */
const optional = new Set(['retry-after']);
