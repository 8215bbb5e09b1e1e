// From a workload to the requests of one run: recorded before it begins, so that both topologies get the very same ones
// at the very same moments. The same seed makes the same recording; its hash is in the report.
import { createHash } from 'node:crypto';
import type { Planned, Until } from '../load/plan.ts';
import { chooser, randomOf, seedOf, zipf } from '../load/random.ts';
import { arrivals } from '../load/schedule.ts';
import type { Workload } from './read.ts';
import type { Placeholder, WorkloadKind } from './schema.ts';

/** What requests can name, the same on both sides: they have copies of one database. */
export interface Stock {
  readonly products: readonly string[];
  readonly pictures: readonly string[];
  readonly words: readonly string[];
  /** Bearer tokens of sessions. */
  readonly customers: readonly string[];
  readonly adminToken: string;
}

export interface Recording {
  readonly requests: readonly Planned[];
  readonly hash: string;
}

export interface RecordingOptions {
  readonly perSecond: number;
  readonly ms: number;
  readonly seed: number;
  /** Unique among all runs on one database: what `{unique}` begins with. */
  readonly run: string;
}

const defaults = { everyMs: 25, withinMs: 15_000 };

export function record(
  workload: Workload,
  stock: Stock,
  { perSecond, ms, seed, run }: RecordingOptions,
): Recording {
  const draw = randomOf(seedOf(seed, 'what', run));
  const moments = arrivals(perSecond, ms, randomOf(seedOf(seed, 'when', run)));
  const names = Object.keys(workload.kinds);
  const pick = chooser(names.map((name) => workload.kinds[name]!.share));
  const writer = new Writer(stock, workload.skew ?? 1, draw, `${seed}-${run}`);
  const hash = createHash('sha256');
  const requests = moments.map((atMs, index) => {
    const kind = names[pick(draw())]!;
    const planned: Planned = { atMs, kind, ...writer.write(workload.kinds[kind]!, index) };
    hash.update(JSON.stringify(planned, (name, value) => (name === 'authorization' ? 'Bearer' : value)));
    return planned;
  });
  return { requests, hash: hash.digest('hex') };
}

class Writer {
  readonly #stock: Stock;
  readonly #draw: () => number;
  readonly #unique: string;
  readonly #product: (draw: number) => number;
  readonly #picture: (draw: number) => number;

  constructor(stock: Stock, skew: number, draw: () => number, unique: string) {
    this.#stock = stock;
    this.#draw = draw;
    this.#unique = unique;
    this.#product = zipf(stock.products.length, skew);
    this.#picture = zipf(stock.pictures.length, skew);
  }

  write(kind: WorkloadKind, index: number): Omit<Planned, 'atMs' | 'kind'> {
    const [method, path] = kind.request.split(' ') as [string, string];
    const headers: Record<string, string> = {};
    for (const [name, text] of Object.entries(kind.headers ?? {})) headers[name] = this.#fill(text, index);
    const token = this.#token(kind.as);
    if (token) headers.authorization = `Bearer ${token}`;
    if (kind.body !== undefined) headers['content-type'] ??= 'application/json';
    return {
      method,
      path: this.#fill(path, index, true),
      headers,
      expect: kind.expect ?? 200,
      ...(kind.body !== undefined && { body: JSON.stringify(this.#fillAll(kind.body, index)) }),
      ...(kind.upload !== undefined && { upload: kind.upload }),
      ...(kind.until && { until: untilOf(kind.until) }),
    };
  }

  #token(as: WorkloadKind['as']): string | undefined {
    if (as === 'admin') return this.#stock.adminToken;
    if (as === 'customer') return this.#one(this.#stock.customers);
    return undefined;
  }

  #fillAll(value: unknown, index: number): unknown {
    if (typeof value === 'string') return this.#fill(value, index);
    if (Array.isArray(value)) return value.map((one) => this.#fillAll(one, index));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.#fillAll(one, index)]));
  }

  #fill(text: string, index: number, encoded = false): string {
    return text.replace(/\{(product|picture|unique|number|word)\}/g, (_, name: Placeholder) => {
      const value = this.#value(name, index);
      return encoded ? encodeURIComponent(value) : value;
    });
  }

  #value(name: Placeholder, index: number): string {
    if (name === 'product') return this.#stock.products[this.#product(this.#draw())]!;
    if (name === 'picture') return this.#stock.pictures[this.#picture(this.#draw())]!;
    if (name === 'number') return String(1 + Math.floor(this.#draw() * 5));
    if (name === 'word') return this.#one(this.#stock.words);
    return `${this.#unique}-${index}`;
  }

  #one(among: readonly string[]): string {
    return among[Math.floor(this.#draw() * among.length)]!;
  }
}

function untilOf({
  request,
  field,
  not,
  wanted,
  everyMs,
  withinMs,
}: NonNullable<WorkloadKind['until']>): Until {
  const [method, path] = request.split(' ') as [string, string];
  return {
    method,
    path,
    field,
    not,
    ...(wanted !== undefined && { wanted }),
    everyMs: everyMs ?? defaults.everyMs,
    withinMs: withinMs ?? defaults.withinMs,
  };
}
