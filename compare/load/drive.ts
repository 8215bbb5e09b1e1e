// Open loop: each request leaves when the schedule says, whether or not earlier ones are answered, and its latency
// counts from that moment. So a server that stands still for a second is seen by every request of that second
// (no coordinated omission). A run ends when every request is answered or has failed.
import { Worker } from 'node:worker_threads';
import { type Dispatcher, Pool } from 'undici';
import { formOf } from './form.ts';
import { clock } from './pacer.ts';
import type { LoadPlan, LoadResult, Planned } from './plan.ts';

/** The first so many failures of each sort are told. */
const EXAMPLES = 3;

type Answered = (status: number, body: string | undefined, error?: Error) => void;

export async function drive(plan: LoadPlan, signal: AbortSignal): Promise<LoadResult> {
  const pool = new Pool(plan.url, {
    connections: plan.connections,
    pipelining: 1,
    headersTimeout: plan.timeoutMs,
    bodyTimeout: plan.timeoutMs,
    connectTimeout: plan.timeoutMs,
  });
  const abort = () => void pool.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await new Run(plan, pool).whole();
  } finally {
    signal.removeEventListener('abort', abort);
    await pool.destroy();
  }
}

class Run {
  readonly #plan: LoadPlan;
  readonly #pool: Pool;
  readonly #result: {
    -readonly [K in keyof LoadResult]: LoadResult[K];
  };
  readonly #forms = new Map<string, { type: string; bytes: Buffer }>();
  readonly #examples = new Map<string, number>();
  readonly #over = Promise.withResolvers<void>();
  #base = 0;
  #next = 0;
  #open = 0;
  #paced = false;

  constructor(plan: LoadPlan, pool: Pool) {
    const count = plan.requests.length;
    this.#plan = plan;
    this.#pool = pool;
    this.#result = {
      startedAt: 0,
      status: new Int16Array(count),
      latencyMs: new Float64Array(count).fill(Number.NaN),
      lateMs: new Float32Array(count),
      decidedMs: new Float64Array(count).fill(Number.NaN),
      failed: new Uint8Array(count),
      cpuMs: 0,
      wallMs: 0,
      examples: [],
    };
    for (const [name, file] of Object.entries(plan.files)) this.#forms.set(name, formOf(name, file));
  }

  async whole(): Promise<LoadResult> {
    const result = this.#result;
    if (this.#plan.requests.length === 0) return result;
    // The thread takes some 30 ms to start.
    this.#base = clock() + 80;
    result.startedAt = Date.now() + 80;
    const moments = Float64Array.from(this.#plan.requests, ({ atMs }) => this.#base + atMs);
    const pacer = new Worker(new URL('./pacer.ts', import.meta.url), { workerData: { moments } });
    pacer.on('message', (last: number) => {
      this.#send();
      if (last === 1) this.#paced = true;
      this.#check();
    });
    pacer.on('error', (error) => this.#over.reject(error));
    const cpu = process.cpuUsage();
    await this.#over.promise;
    const { user, system } = process.cpuUsage(cpu);
    result.cpuMs = (user + system) / 1000;
    result.wallMs = clock() - this.#base;
    result.examples = [...this.#examples].map(([what, times]) =>
      times > 1 ? `${what} (${times} times)` : what,
    );
    await pacer.terminate();
    return result;
  }

  #send(): void {
    const { requests } = this.#plan;
    const now = clock() - this.#base;
    while (this.#next < requests.length && requests[this.#next]!.atMs <= now) {
      const index = this.#next++;
      const one = requests[index]!;
      this.#result.lateMs[index] = now - one.atMs;
      this.#open += 1;
      this.#first(index, one);
    }
  }

  #check(): void {
    if (this.#paced && this.#open === 0 && this.#next === this.#plan.requests.length) this.#over.resolve();
  }

  #first(index: number, one: Planned): void {
    const result = this.#result;
    const form = one.upload === undefined ? undefined : this.#forms.get(one.upload);
    const headers = form ? { ...one.headers, 'content-type': form.type } : one.headers;
    const keep = one.until !== undefined;
    this.#ask(
      { method: one.method as 'GET', path: one.path, headers, body: form?.bytes ?? one.body },
      keep,
      (status, body, error) => {
        result.status[index] = status;
        result.latencyMs[index] = clock() - this.#base - one.atMs;
        if (status !== one.expect) this.#fail(index, one, error ? error.message : `answered ${status}`);
        else if (one.until) {
          this.#follow(index, one, fill(one.until.path, body!), clock() + one.until.withinMs);
          return;
        }
        this.#done();
      },
    );
  }

  /** Asks again every so often, until the field is decided or the time is up. */
  #follow(index: number, one: Planned, path: string, deadline: number): void {
    const { method, field, not, wanted, everyMs } = one.until!;
    const authorization = one.headers?.authorization;
    const again = () =>
      this.#ask(
        { method: method as 'GET', path, headers: authorization ? { authorization } : {} },
        true,
        (status, body, error) => {
          const value = status === 200 ? fieldOf(body!, field) : undefined;
          if (value !== undefined && value !== not) {
            this.#result.decidedMs[index] = clock() - this.#base - one.atMs;
            if (wanted !== undefined && value !== wanted) this.#fail(index, one, `${field} became ${value}`);
            this.#done();
          } else if (clock() > deadline) {
            this.#fail(
              index,
              one,
              error?.message ?? `${field} was still ${value ?? `unknown (${status})`} when the time was up`,
            );
            this.#done();
          } else setTimeout(again, everyMs);
        },
      );
    setTimeout(again, everyMs);
  }

  #done(): void {
    this.#open -= 1;
    this.#check();
  }

  #fail(index: number, one: Planned, why: string): void {
    this.#result.failed[index] = 1;
    const what = `${one.kind}: ${why}`;
    const times = this.#examples.get(what);
    if (times !== undefined || this.#examples.size < EXAMPLES * 4) this.#examples.set(what, (times ?? 0) + 1);
  }

  #ask(options: Dispatcher.DispatchOptions, keep: boolean, answered: Answered): void {
    let status = 0;
    let body: string | undefined;
    const chunks: Buffer[] = [];
    this.#pool.dispatch(options, {
      onRequestStart() {},
      onResponseStart(_controller, code) {
        status = code;
      },
      onResponseData(_controller, chunk) {
        if (keep) chunks.push(chunk);
      },
      onResponseEnd() {
        if (keep) body = Buffer.concat(chunks).toString();
        answered(status, body);
      },
      onResponseError(_controller, error) {
        answered(0, undefined, error);
      },
    });
  }
}

/** `{answer.id}` in a path, from the first answer. */
function fill(path: string, body: string): string {
  return path.replace(/\{answer\.([A-Za-z0-9_]+)\}/g, (_, field: string) =>
    encodeURIComponent(fieldOf(body, field) ?? ''),
  );
}

function fieldOf(body: string, field: string): string | undefined {
  try {
    const value = (JSON.parse(body) as Record<string, unknown>)[field];
    return value === undefined ? undefined : String(value);
  } catch {
    return undefined;
  }
}
