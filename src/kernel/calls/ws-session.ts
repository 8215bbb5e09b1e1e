// One accepted connection: another host's calls, each dispatched, answered in any order, cancelled when the
// caller says so or goes away. Reads no faster than it can answer: it stops reading while too many calls run
// or too many bytes of answers wait. It must not know how the connection was let in.
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { anonymous, type Principal } from '../contract/principal.ts';
import { kernelProblem, Problem } from '../contract/problem.ts';
import { bearerIn, type VerifyBearer } from '../http/authenticate.ts';
import { isOutage, outageInWords } from '../store/outage.ts';
import { DEFAULT_DEADLINE_MS } from './deadlines.ts';
import type { Dispatcher } from './dispatcher.ts';
import {
  BY_HTTP,
  CLOSING,
  CLOSING_TEXT,
  DRAINED,
  errorText,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  type Message,
  PARSE_ERROR,
  type Params,
  PROBLEM,
  problemError,
  resultText,
  tooLarge,
} from './frames.ts';
import type { ObserveCall } from './observed.ts';
import { Outbox } from './outbox.ts';
import { ServedCall } from './served-call.ts';
import { traceOf } from './trace.ts';

/** Calls that may run at once for one connection, and bytes of answers that may wait to be read. */
const MOST_RUNNING = 1024;
const MOST_WAITING_BYTES = 8 * 1024 * 1024;

/** What an answer has around its result. */
const ENVELOPE_BYTES = 512;

/** The words of the HTTP door: a failure reads alike in both placements. */
const FAILURE_WAS_LOGGED = 'The failure was logged with the trace id of this response.';

/** What a method name leads to. */
export interface Target {
  readonly dispatcher: Dispatcher;
  readonly operation: string;
  /** A gateway asks for a client: the call has that client's rights. */
  readonly client: boolean;
}

export interface SessionOptions {
  readonly targets: ReadonlyMap<string, Target>;
  /** Who the token of the handshake named: the caller where a frame names no module. */
  readonly caller: string;
  readonly verifyBearer: VerifyBearer | undefined;
  readonly maxPayload: number;
  readonly log: Pick<Logger, 'error' | 'warn'>;
  /** Hears of every call that was answered here. */
  readonly observe?: ObserveCall | undefined;
}

type Id = number | string;

export class Session {
  readonly #ws: WebSocket;
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  readonly #running = new Map<Id, ServedCall>();
  readonly #principals = new Map<string, Principal>();
  #draining = false;
  #open = true;

  constructor(ws: WebSocket, options: SessionOptions) {
    this.#ws = ws;
    this.#options = options;
    this.#outbox = new Outbox(ws, () => this.#pauseWhenFull());
    ws.on('message', (data: Buffer) => this.#receive(data));
    ws.on('error', (error) => options.log.warn({ err: error, caller: options.caller }, 'calls: bad frame'));
    ws.once('close', () => {
      this.#open = false;
      for (const call of this.#running.values()) call.abort();
    });
  }

  get running(): number {
    return this.#running.size;
  }

  /** Takes no more calls, and closes when the present ones are answered. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#outbox.push(CLOSING_TEXT, true);
    if (this.#running.size === 0) this.#goodbye();
  }

  /** The socket took what was waiting: read on. */
  drained(): void {
    if (this.#ws.isPaused) this.#resumeWhenFree();
  }

  #goodbye(): void {
    this.#outbox.flush();
    this.#open = false;
    this.#ws.close(DRAINED, 'drained');
    this.#ws.resume();
  }

  #receive(data: Buffer): void {
    let frame: unknown;
    try {
      frame = JSON.parse(data.toString());
    } catch {
      this.#say(errorText(null, { code: PARSE_ERROR, message: 'The frame is not JSON' }));
      return;
    }
    if (!Array.isArray(frame)) this.#take(frame as Message);
    else for (const message of frame) this.#take(message as Message);
    if (this.#running.size >= MOST_RUNNING) this.#ws.pause();
  }

  #take(message: Message | null): void {
    const { id, method, params } = message ?? {};
    const named = typeof id === 'number' || typeof id === 'string';
    if (typeof method !== 'string' || typeof params !== 'object' || params === null) {
      this.#say(
        errorText(named ? id : null, { code: INVALID_REQUEST, message: 'The message is not a request' }),
      );
    } else if (named) {
      this.#request(id, method, params as Params);
    } else if (method === 'cancel') {
      this.#running.get((params as { id: Id }).id)?.abort();
    }
  }

  #request(id: Id, method: string, params: Params): void {
    // What arrives after the goodbye was not begun: the close code says so.
    if (!this.#open) return;
    const target = this.#options.targets.get(method);
    if (this.#draining) {
      this.#say(
        refusal(id, CLOSING, kernelProblem('unavailable', { detail: 'This host is shutting down.' })),
      );
    } else if (!target) {
      const detail = `This host has no operation ${method} for calls.`;
      this.#say(refusal(id, METHOD_NOT_FOUND, kernelProblem('not-found', { detail })));
    } else {
      this.#admit(id, method, params, target);
    }
  }

  #admit(id: Id, method: string, params: Params, target: Target): void {
    if (!target.client) {
      this.#begin(id, method, params, target, this.#principalOf(params.caller));
      return;
    }
    let client: Principal | undefined;
    try {
      client = clientOf(params.authorization, this.#options.verifyBearer);
    } catch (error) {
      this.#say(this.#failure(id, undefined, method, error));
      return;
    }
    if (client) this.#begin(id, method, params, target, client);
    else this.#say(errorText(id, { code: BY_HTTP, message: 'Ask by HTTP' }));
  }

  #begin(
    id: Id,
    method: string,
    params: Params,
    { dispatcher, operation }: Target,
    principal: Principal,
  ): void {
    const left = params.deadlineMs;
    const call = new ServedCall(
      principal,
      Date.now() + (typeof left === 'number' ? left : DEFAULT_DEADLINE_MS),
      params.traceparent,
      params.event,
    );
    this.#running.set(id, call);
    const answered = dispatcher.dispatch(operation, params.input, call);
    if (this.#options.observe) this.#observe(answered, call, dispatcher.contract.module, operation);
    answered.then(
      (output) => this.#finish(id, call, this.#answer(id, method, output)),
      (error: unknown) => this.#finish(id, call, this.#failure(id, call, method, error)),
    );
  }

  #observe(answered: Promise<unknown>, call: ServedCall, module: string, operation: string): void {
    const { traceparent, parent } = call;
    const startMs = Date.now();
    const ended = (failed: boolean) =>
      this.#options.observe!({ module, operation, traceparent, parent, startMs, failed });
    answered.then(
      () => ended(false),
      () => ended(true),
    );
  }

  /** One object per calling module, not per call. The names come from a trusted host; the bound is for bugs. */
  #principalOf(caller: unknown): Principal {
    const name = typeof caller === 'string' ? caller : this.#options.caller;
    let principal = this.#principals.get(name);
    if (!principal) {
      principal = { kind: 'module', name };
      if (this.#principals.size < 1000) this.#principals.set(name, principal);
    }
    return principal;
  }

  #answer(id: Id, method: string, output: unknown): string {
    try {
      const result = JSON.stringify(output) ?? 'null';
      if (!tooLarge(result, this.#options.maxPayload - ENVELOPE_BYTES)) return resultText(id, result);
      throw new Error(`The answer of ${method} is larger than a frame may be`);
    } catch (error) {
      return this.#failure(id, undefined, method, error);
    }
  }

  #failure(id: Id, call: ServedCall | undefined, method: string, error: unknown): string {
    if (error instanceof Problem) return refusal(id, PROBLEM, error);
    // A handler that was told to stop may fail as it likes.
    if (!call?.aborted) {
      const trace = call && traceOf(call.traceparent);
      this.#options.log.error({ err: error, method, ...trace }, 'calls: the operation failed');
    }
    if (isOutage(error)) {
      return refusal(
        id,
        PROBLEM,
        kernelProblem('unavailable', { detail: outageInWords(error), retryAfter: 2 }),
      );
    }
    return refusal(id, PROBLEM, kernelProblem('internal', { detail: FAILURE_WAS_LOGGED }));
  }

  #finish(id: Id, call: ServedCall, text: string): void {
    call.finished();
    this.#running.delete(id);
    if (!this.#open) return;
    // Nobody waits for the answer of a cancelled call.
    if (!call.aborted) this.#outbox.push(text, this.#running.size === 0);
    if (this.#draining && this.#running.size === 0) this.#goodbye();
    else if (this.#ws.isPaused) this.#resumeWhenFree();
  }

  #say(text: string): void {
    if (this.#open) this.#outbox.push(text, false);
  }

  #pauseWhenFull(): void {
    if (this.#ws.bufferedAmount > MOST_WAITING_BYTES) this.#ws.pause();
  }

  #resumeWhenFree(): void {
    if (this.#running.size < MOST_RUNNING / 2 && this.#ws.bufferedAmount < MOST_WAITING_BYTES)
      this.#ws.resume();
  }
}

/** Undefined where the HTTP door should look: it has the time to verify a token that is new here. */
function clientOf(authorization: unknown, verify: VerifyBearer | undefined): Principal | undefined {
  if (!verify) return undefined;
  if (authorization === undefined) return anonymous;
  const token = typeof authorization === 'string' ? bearerIn(authorization) : undefined;
  if (token === undefined) return undefined;
  const verified = verify(token);
  if (!(verified instanceof Promise)) return verified;
  verified.catch(() => {});
  return undefined;
}

function refusal(id: Id, code: number, problem: Problem): string {
  return errorText(id, problemError(problem, code));
}
