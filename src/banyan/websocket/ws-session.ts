// One accepted connection: another host's calls, each dispatched, answered in any order, cancelled when the
// caller says so or goes away. Reads no faster than it can answer: it stops reading while too many calls run
// or too many bytes of answers wait. It must not know how the connection was let in.
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { DEFAULT_DEADLINE_MS } from '../calls/deadlines.ts';
import { FrameBatcher } from '../calls/frame-batcher.ts';
import {
  BY_HTTP,
  CLIENT_PREFIX,
  CLOSING,
  CLOSING_TEXT,
  DRAINED,
  errorText,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  type Message,
  PARSE_ERROR,
  type Params,
  SHADOW_PREFIX,
} from '../calls/frames.ts';
import type { ObserveCalls } from '../calls/observed.ts';
import { ServedCall } from '../calls/served-call.ts';
import type { Flow } from '../context/call.ts';
import { eventOf } from '../context/cause.ts';
import type { Principal } from '../context/principal.ts';
import { shareFrom } from '../context/share.ts';
import { libraryProblem, Problem } from '../contract/problem.ts';
import type { VerifyBearer } from '../http/authenticate.ts';
import { REQUEST_DEADLINE_MS } from '../http/http-call.ts';
import type { InternalCaller } from '../identity/internal-token.ts';
import type { Rights } from '../identity/rights.ts';
import { noteSideAsked } from '../routing/side.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';
import { Answers, type Id, refusal } from './ws-answers.ts';
import { Callers } from './ws-callers.ts';
import type { RpcMethod, TryHere } from './ws-targets.ts';

/** Calls that may run at once for one connection, and bytes of answers that may wait to be read. */
const MAX_RUNNING = 1024;
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** In one frame. Of hosts of this product none has so many (calls/frame-batcher.ts), and each is answered. */
const MAX_MESSAGES = 4096;
const TOO_MANY = `A frame has ${MAX_MESSAGES} messages at most`;
const NO_EVENT =
  'params.event must be {"id": a UUID, "correlationId": at most 200 characters, "replay": true or false}';

export interface WsSessionOptions {
  readonly methods: ReadonlyMap<string, RpcMethod>;
  /** Who the token of the handshake named: the caller where a frame names no module. */
  readonly caller: InternalCaller;
  /** What that host may ask. */
  readonly rights: Rights;
  readonly verifyBearer?: VerifyBearer | undefined;
  readonly tryHere?: TryHere | undefined;
  readonly maxPayload: number;
  readonly log: Pick<Logger, 'error' | 'warn'>;
  readonly security: SecurityLog;
  /** Hears of every call that was answered here. */
  readonly observe?: ObserveCalls | undefined;
}

export class WsSession {
  readonly #ws: WebSocket;
  readonly #options: WsSessionOptions;
  readonly #frames: FrameBatcher;
  readonly #running = new Map<Id, ServedCall>();
  readonly #callers: Callers;
  readonly #answers: Answers;
  /** What came when enough calls ran: not begun, in order. */
  #held: unknown[] = [];
  #draining = false;
  #open = true;

  constructor(ws: WebSocket, options: WsSessionOptions) {
    this.#ws = ws;
    this.#options = options;
    this.#callers = new Callers(options.caller, options.rights, options.verifyBearer);
    this.#answers = new Answers(options.maxPayload, options.log);
    this.#frames = new FrameBatcher(ws, () => this.#pauseWhenFull());
    ws.on('message', (data: Buffer) => this.#receive(data));
    const { caller } = options.caller;
    ws.on('error', (error) => options.log.warn({ err: error, caller }, 'calls: bad frame'));
    ws.once('close', () => {
      this.#open = false;
      for (const call of this.#running.values()) call.abort();
    });
  }

  /** Who is at its other end. */
  get caller(): InternalCaller {
    return this.#options.caller;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Takes no more calls, and closes when the present ones are answered. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#frames.push(CLOSING_TEXT, true);
    if (this.#running.size === 0) this.#goodbye();
  }

  /** The socket took what was waiting: read on. */
  drained(): void {
    if (this.#ws.isPaused) this.#resumeWhenFree();
  }

  #goodbye(): void {
    this.#frames.flush();
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
    if (!Array.isArray(frame)) this.#takeAll([frame]);
    else if (frame.length <= MAX_MESSAGES) this.#takeAll(frame);
    else this.#say(errorText(null, { code: INVALID_REQUEST, message: TOO_MANY }));
  }

  #takeAll(messages: readonly unknown[]): void {
    const held = this.#held.length > 0;
    for (let at = 0; at < messages.length; at += 1) {
      if (held || this.#running.size >= MAX_RUNNING) {
        this.#held.push(...messages.slice(at));
        break;
      }
      this.#take(messages[at] as Message | null);
    }
    if (this.#running.size >= MAX_RUNNING) this.#ws.pause();
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
    const target = this.#options.methods.get(method);
    if (this.#running.has(id)) {
      // Two calls of one id would count as one: against the bound, in a drain, and for who cancels.
      this.#say(errorText(id, { code: INVALID_REQUEST, message: 'A call of this id is running' }));
    } else if (this.#draining) {
      this.#say(
        refusal(id, CLOSING, libraryProblem('unavailable', { detail: 'This host is shutting down.' })),
      );
    } else if (!target) {
      const detail = `This host has no operation ${method} for calls.`;
      this.#say(refusal(id, METHOD_NOT_FOUND, libraryProblem('not-found', { detail })));
    } else {
      this.#admit(id, method, params, target);
    }
  }

  #admit(id: Id, method: string, params: Params, target: RpcMethod): void {
    const event = params.event === undefined ? undefined : eventOf(params.event);
    if (params.event !== undefined && !event) {
      this.#say(errorText(id, { code: INVALID_REQUEST, message: NO_EVENT }));
      return;
    }
    let principal: Principal | undefined;
    try {
      if (event?.replay) this.#callers.replay(params.caller);
      principal = this.#principal(params, target);
    } catch (error) {
      this.#refused(method, error);
      this.#say(this.#answers.failure(id, undefined, method, error));
      return;
    }
    if (principal) this.#begin(id, method, params, target, principal, event);
    else this.#say(errorText(id, { code: BY_HTTP, message: 'Ask by HTTP' }));
  }

  /** Undefined where the HTTP door should look. Throws the 403 problem. */
  #principal(params: Params, { prefix, dispatcher }: RpcMethod): Principal | undefined {
    if (prefix === CLIENT_PREFIX) return this.#callers.client(params.authorization);
    if (prefix === SHADOW_PREFIX && params.principal !== undefined)
      return this.#callers.shadowed(params.principal);
    return this.#callers.module(params.caller, dispatcher.contract.module);
  }

  /** A service asked for what is not its to ask; what is wrong with a client's token is said elsewhere. */
  #refused(method: string, error: unknown): void {
    if (!(error instanceof Problem) || error.status !== 403) return;
    const { security, caller } = this.#options;
    const actor = { kind: 'service', name: caller.caller } as const;
    const event = { event: 'service.refused', outcome: 'refused', actor, target: method } as const;
    security.write({ ...event, reason: error.message });
  }

  #begin(
    id: Id,
    method: string,
    params: Params,
    { dispatcher, operation, prefix }: RpcMethod,
    principal: Principal,
    event: Flow['event'],
  ): void {
    const { deadlineMs, traceparent } = params;
    const left = typeof deadlineMs === 'number' ? deadlineMs : DEFAULT_DEADLINE_MS;
    const share = shareFrom(params.share);
    if (share?.side) noteSideAsked();
    const call = new ServedCall(
      principal,
      Date.now() + Math.min(left, REQUEST_DEADLINE_MS),
      typeof traceparent === 'string' ? traceparent : undefined,
      event,
      share,
    );
    this.#running.set(id, call);
    const isShadow = prefix === SHADOW_PREFIX;
    if (isShadow && typeof params.address === 'string') call.address = params.address;
    const answered = isShadow
      ? this.#options.tryHere!(dispatcher.contract.module, operation, params.input, call)
      : dispatcher.dispatch(operation, params.input, call);
    if (this.#options.observe?.active && !isShadow)
      this.#observe(answered, call, dispatcher.contract.module, operation);
    answered.then(
      (output) => this.#finish(id, call, this.#answers.result(id, method, output)),
      (error: unknown) => this.#finish(id, call, this.#answers.failure(id, call, method, error)),
    );
  }

  #observe(answered: Promise<unknown>, call: ServedCall, module: string, operation: string): void {
    const { traceparent, parent } = call;
    const startMs = Date.now();
    const ended = (failed: boolean) =>
      this.#options.observe!.ended({ module, operation, traceparent, parent, startMs, failed });
    answered.then(
      () => ended(false),
      () => ended(true),
    );
  }

  #finish(id: Id, call: ServedCall, text: string): void {
    call.finished();
    this.#running.delete(id);
    if (!this.#open) return;
    // Nobody waits for the answer of a cancelled call.
    if (!call.aborted) this.#frames.push(text, this.#running.size === 0);
    if (this.#draining && this.#running.size === 0) this.#goodbye();
    else if (this.#ws.isPaused) this.#resumeWhenFree();
  }

  #say(text: string): void {
    if (this.#open) this.#frames.push(text, false);
  }

  #pauseWhenFull(): void {
    if (this.#ws.bufferedAmount > MAX_WAITING_BYTES) this.#ws.pause();
  }

  #resumeWhenFree(): void {
    if (this.#running.size >= MAX_RUNNING / 2 || this.#ws.bufferedAmount >= MAX_WAITING_BYTES) return;
    const held = this.#held;
    this.#held = [];
    this.#takeAll(held);
    if (this.#running.size < MAX_RUNNING) this.#ws.resume();
  }
}
