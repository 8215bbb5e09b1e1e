// The connections of this gateway to other processes, under @fastify/reply-from. Three things that a plain
// pool does not do: a request that must not be repeated gets a connection of its own (a kept one may be dead,
// and whether it was is known too late); one that may be repeated is taken back from a process that fell
// silent; and an answer by a stranger who took over an address counts as a refused connection.
// It does not choose the process, and does not repeat anything.
import { EventEmitter } from 'node:events';
import { Agent, request as ask, type Dispatcher } from 'undici';
import { REQUEST_DEADLINE_MS } from '../kernel/http/routes.ts';
import type { Endpoint, Placements } from '../kernel/placement/snapshot.ts';

/** Codes of the two failures that are made here. */
export const SILENT = 'BANYAN_SILENT';
export const STRANGER = 'BANYAN_STRANGER';

type Options = Dispatcher.RequestOptions;
type Callback = (error: Error | null, data: Dispatcher.ResponseData) => void;

export interface Lines {
  /** What reply-from calls: in the same turn as `to`. */
  request(options: Options, callback: Callback): void;
  /** The next request goes to this process; `repeatable`: it may be sent to another one as well. */
  to(endpoint: Endpoint, repeatable: boolean): void;
  close(): Promise<void>;
}

/** A process that control holds for unhealthy has this long to say that it is alive after all. */
const SIGN_OF_LIFE_MS = 1_000;

const timeouts = {
  connectTimeout: 2_000,
  headersTimeout: REQUEST_DEADLINE_MS + 1_000,
  bodyTimeout: REQUEST_DEADLINE_MS + 1_000,
};

export function createLines(placements: Placements): Lines {
  const kept = new Agent({ ...timeouts, connections: 128, pipelining: 1, keepAliveTimeout: 30_000 });
  const fresh = new Agent({ ...timeouts, connections: 128, pipelining: 0 });
  /** Requests without an answer yet that may be taken back, by process. */
  const waiting = new Map<string, Waiting>();
  let target: Endpoint;
  let repeatable = false;

  const unsubscribe = placements.subscribe((snapshot) => {
    if (waiting.size === 0) return;
    const healthy = new Set(
      [...Object.values(snapshot.modules).flatMap((module) => module.instances), ...snapshot.monoliths]
        .filter((one) => one.healthy)
        .map((one) => one.host),
    );
    for (const one of waiting.values()) if (!healthy.has(one.endpoint.host)) void one.takeBackIfSilent();
  });

  const answered = (endpoint: Endpoint, callback: Callback): Callback => {
    return (error, data) => {
      const by = data?.headers?.['x-served-by'];
      // A service in another language need not say who it is.
      if (error || by === undefined || by === endpoint.id) return callback(error, data);
      void data.body.dump().catch(() => {});
      const words = `${endpoint.url} answers as ${by}, not as ${endpoint.id}`;
      callback(Object.assign(new Error(words), { code: STRANGER }), data);
    };
  };

  return {
    to(endpoint, mayRepeat) {
      target = endpoint;
      repeatable = mayRepeat;
    },
    request(options, callback) {
      const checked = answered(target, callback);
      if (!repeatable) return fresh.request(options, checked);
      let there = waiting.get(target.host);
      if (!there) {
        there = new Waiting(target, () => waiting.delete(there!.endpoint.host));
        waiting.set(target.host, there);
      }
      const signal = there.add();
      kept.request({ ...options, signal }, (error, data) => {
        there.remove(signal);
        checked(error, data);
      });
    },
    async close() {
      unsubscribe();
      await Promise.all([kept.close(), fresh.close()]);
    },
  };
}

/** The repeatable requests that wait for the head of one process's answer. */
class Waiting {
  readonly endpoint: Endpoint;
  readonly #signals = new Set<EventEmitter>();
  readonly #onEmpty: () => void;
  #asking = false;

  constructor(endpoint: Endpoint, onEmpty: () => void) {
    this.endpoint = endpoint;
    this.#onEmpty = onEmpty;
  }

  add(): EventEmitter {
    const signal = new EventEmitter();
    this.#signals.add(signal);
    return signal;
  }

  remove(signal: EventEmitter): void {
    if (this.#signals.delete(signal) && this.#signals.size === 0) this.#onEmpty();
  }

  /** One that drains is not healthy either, but answers: it keeps what it has. */
  async takeBackIfSilent(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const silent = !(await lives(this.endpoint));
    this.#asking = false;
    if (!silent) return;
    const reason = Object.assign(new Error(`${this.endpoint.id} is silent`), { code: SILENT });
    for (const signal of this.#signals) {
      (signal as EventEmitter & { reason?: Error }).reason = reason;
      signal.emit('abort');
    }
  }
}

async function lives({ url }: Endpoint): Promise<boolean> {
  try {
    const { body } = await ask(`${url}/health/live`, { signal: AbortSignal.timeout(SIGN_OF_LIFE_MS) });
    await body.dump();
    return true;
  } catch {
    return false;
  }
}
