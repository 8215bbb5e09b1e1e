// The connections of this gateway to other processes, under @fastify/reply-from. Three things that a plain
// pool does not do: a request that must not be repeated gets a connection of its own (a kept one may be dead,
// and whether it was is known too late); one that may be repeated is taken back from a process that fell
// silent; and an answer by a stranger who took over an address counts as a refused connection.
// It does not choose the process, and does not repeat anything. Where a request goes travels with its headers: of what
// reply-from hands over they alone are ours, and it would write the target anew, where both sides must decode the same.
import { Agent, request as ask, type Dispatcher } from 'undici';
import { type Headers, HOP_HEADER_BYTES } from '../http/hop-by-hop.ts';
import { REQUEST_DEADLINE_MS } from '../http/http-call.ts';
import type { Instance, Placements } from '../routing/snapshot.ts';
import { Answer, type Answered, type Callback } from './answer.ts';
import { type AskRefusal, unlessRefused } from './unexpected.ts';

/** Codes of the two failures that are made here. */
export const SILENT = 'BANYAN_SILENT';
export const STRANGER = 'BANYAN_STRANGER';

type Options = Dispatcher.DispatchOptions;

export interface Destination {
  readonly instance: Instance;
  /** The target as the client sent it, byte for byte. */
  readonly path: string;
  /** It may be sent to another process as well. */
  readonly repeatable: boolean;
  /** Called in place of an answer where the process does not let this host in. */
  onRefused(error: Error): void;
}

const DESTINATION = Symbol('where a request goes');

type Addressed = Headers & { [DESTINATION]?: Destination };

/** The headers of a request that goes there. */
export function addressed(headers: Headers, destination: Destination): Headers {
  (headers as Addressed)[DESTINATION] = destination;
  return headers;
}

export interface UpstreamConnections {
  /** What reply-from calls. The headers are addressed. */
  request(options: Options, callback: Callback): void;
  close(): Promise<void>;
}

/** A process that control holds for unhealthy, or that keeps a request waiting, has this long to say that it is alive after all. */
const SIGN_OF_LIFE_MS = 1_000;
/** Control may be reached where this gateway is not: who has not answered for so long is asked whether it lives. */
const PATIENCE_MS = 3_000;
const LOOK_MS = 1_000;

const timeouts = {
  connectTimeout: 2_000,
  headersTimeout: REQUEST_DEADLINE_MS + 1_000,
  bodyTimeout: REQUEST_DEADLINE_MS + 1_000,
  maxHeaderSize: HOP_HEADER_BYTES,
};

export function createUpstreamConnections(
  placements: Placements,
  askRefusal: AskRefusal,
): UpstreamConnections {
  const kept = new Agent({ ...timeouts, connections: 128, pipelining: 1, keepAliveTimeout: 30_000 });
  const fresh = new Agent({ ...timeouts, connections: 128, pipelining: 0 });
  /** Requests without an answer yet that may be taken back, by process. */
  const waiting = new Map<string, Waiting>();

  const unsubscribe = placements.subscribe((snapshot) => {
    if (waiting.size === 0) return;
    const healthy = new Set(
      [...Object.values(snapshot.modules).flatMap((module) => module.instances), ...snapshot.monoliths]
        .filter((one) => one.healthy)
        .map((one) => one.host),
    );
    for (const one of waiting.values()) if (!healthy.has(one.instance.host)) void one.takeBackIfSilent();
  });
  const looks = setInterval(() => {
    const before = performance.now() - PATIENCE_MS;
    for (const one of waiting.values()) if (one.since < before) void one.takeBackIfSilent();
  }, LOOK_MS).unref();

  /** A stranger is told by what it calls itself; a service in another language need not say who it is. */
  const acceptFrom = (instance: Instance) => (headers: Answered['headers']) => {
    const by = headers['x-served-by'];
    if (by === undefined || by === instance.id) return undefined;
    const words = `${instance.url} answers as ${by}, not as ${instance.id}`;
    return Object.assign(new Error(words), { code: STRANGER });
  };

  return {
    request(options, next) {
      const destination = (options.headers as Addressed)[DESTINATION]!;
      const { instance } = destination;
      const callback = unlessRefused(instance, askRefusal, next, (error) => destination.onRefused(error));
      options.origin = instance.url;
      options.path = destination.path;
      if (!destination.repeatable) {
        fresh.dispatch(options, new Answer(acceptFrom(instance), callback));
        return;
      }
      let there = waiting.get(instance.host);
      if (!there) {
        there = new Waiting(instance, () => waiting.delete(there!.instance.host));
        waiting.set(instance.host, there);
      }
      const answer = new Answer(acceptFrom(instance), (error, answered) => {
        there.remove(answer);
        callback(error, answered);
      });
      there.add(answer);
      kept.dispatch(options, answer);
    },
    async close() {
      unsubscribe();
      clearInterval(looks);
      await Promise.all([kept.close(), fresh.close()]);
    },
  };
}

/** The repeatable requests that wait for one process's answer. */
class Waiting {
  readonly instance: Instance;
  /** With when each was asked for, by performance.now(); the first of them first. */
  readonly #answers = new Map<Answer, number>();
  readonly #onEmpty: () => void;
  #asking = false;

  constructor(instance: Instance, onEmpty: () => void) {
    this.instance = instance;
    this.#onEmpty = onEmpty;
  }

  add(answer: Answer): void {
    this.#answers.set(answer, performance.now());
  }

  /** Since when the first of them has waited. */
  get since(): number {
    return this.#answers.values().next().value ?? Number.POSITIVE_INFINITY;
  }

  remove(answer: Answer): void {
    if (this.#answers.delete(answer) && this.#answers.size === 0) this.#onEmpty();
  }

  /** One that drains is not healthy either, but answers: it keeps what it has. */
  async takeBackIfSilent(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const silent = !(await lives(this.instance));
    this.#asking = false;
    if (!silent) return;
    const reason = Object.assign(new Error(`${this.instance.id} is silent`), { code: SILENT });
    for (const answer of [...this.#answers.keys()]) answer.cancel(reason);
  }
}

async function lives({ url }: Instance): Promise<boolean> {
  try {
    const { body } = await ask(`${url}/health/live`, { signal: AbortSignal.timeout(SIGN_OF_LIFE_MS) });
    await body.dump();
    return true;
  } catch {
    return false;
  }
}
