// A request of a client as the call that a dispatcher takes: who asks, until when, in which trace. Guarantees: a call
// has a deadline, which whoever asked may bring forward and never put off. It knows no route.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Call, Change, Flow, Upload } from '../context/call.ts';
import type { Principal } from '../context/principal.ts';
import type { Share } from '../context/share.ts';
import { shareOf } from './request-share.ts';

/** Milliseconds a request may take in all, calls to other modules included. */
export const REQUEST_DEADLINE_MS = 15_000;

/** Signal and address are made when somebody asks for them: few do, and each costs a microsecond. */
export class HttpCall implements Call, Flow {
  readonly principal: Principal;
  readonly deadline: number;
  readonly traceparent: string;
  readonly upload: Upload | undefined;
  change: Change | undefined = undefined;
  /** The call itself, also seen from a flow that inherits from it (a transaction marks itself that way). */
  readonly call: HttpCall = this;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  #controller: AbortController | undefined;

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    principal: Principal,
    upload: Upload | undefined,
  ) {
    this.principal = principal;
    this.deadline = deadlineOf(request, upload ? 0 : reply.elapsedTime);
    this.traceparent = request.traceparent;
    this.upload = upload;
    this.#request = request;
    this.#reply = reply;
  }

  get share(): Share {
    return shareOf(this.call.#request.raw);
  }

  get address(): string {
    return this.#request.ip;
  }

  /** Fires when the client went away before the answer. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      const { raw } = this.#reply;
      if (raw.destroyed) controller.abort();
      raw.once('close', () => raw.writableFinished || controller.abort());
      this.#controller = controller;
    }
    return this.#controller.signal;
  }
}

/** From the moment its headers were there; an upload, which has a minute to arrive, from when it is there. */
export function deadlineOf(request: FastifyRequest, sinceMs: number): number {
  const left = Number(request.headers['x-deadline-ms']);
  return Date.now() - sinceMs + (left > 0 && left < REQUEST_DEADLINE_MS ? left : REQUEST_DEADLINE_MS);
}
