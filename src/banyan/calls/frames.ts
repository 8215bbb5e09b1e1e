// What goes over the WebSocket between two hosts: JSON-RPC 2.0, one message or a batch of them per frame.
//   request   {"jsonrpc":"2.0","id":7,"method":"depots.nearest","params":{"input":{…},"deadlineMs":4990,
//              "traceparent":"00-…","caller":"parcels"}}
//   answer    {"jsonrpc":"2.0","id":7,"result":{…}}   or   …,"error":{"code":-32000,"message":"…","data":<problem>}
//   a client's  the method is client:depots.nearest, and params have "authorization": what the client sent, if anything
//   a shadow's  the method is shadow:depots.nearest: the call is done and rolled back, and its result is {"status", "output" or
//              "problem", "events", "disturbed"?}; of a monolith params may have "principal" and "address" (calls/shadow.ts)
//   an event's  params have "event": {"id": a UUID, "correlationId": at most 200 characters, "replay": true or false}
//   notices   {"jsonrpc":"2.0","method":"cancel","params":{"id":7}} to the host, {…,"method":"closing"} from it
// It knows the text alone: no socket, no placement.

import type { Flow } from '../context/call.ts';
import type { Principal } from '../context/principal.ts';
import type { Share } from '../context/share.ts';
import { Problem, type ProblemBody } from '../contract/problem.ts';

/** The largest frame either side takes, in bytes. A page of 100 parcels is some 40 kB. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;

/** Where the door is, on the internal port. */
export const CALLS_PATH = '/calls';

/** JSON-RPC error codes. A problem of any kind is PROBLEM; CLOSING says that nothing was done. */
export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const PROBLEM = -32000;
export const CLOSING = -32001;
/** A client's call that this side would rather have by HTTP. */
export const BY_HTTP = -32002;

/**
 * Before the method of a call that a gateway makes for a client. It is another method, so that a door that knows
 * calls of modules alone refuses it, and never takes a client for a module.
 */
export const CLIENT_PREFIX = 'client:';

/** Before the method of a call that is only tried: a door that does not know it does nothing, where the bare name would act. */
export const SHADOW_PREFIX = 'shadow:';

/** As what a call goes: a module's own, a client's, or one that is only tried. */
export type Prefix = '' | typeof CLIENT_PREFIX | typeof SHADOW_PREFIX;

/**
 * The close code of a host that has answered every request it accepted: what is unanswered then was never
 * begun, and may be repeated elsewhere whatever it is.
 */
export const DRAINED = 4001;

export interface Params {
  readonly input: unknown;
  /** Milliseconds left. A number, not a time: two hosts' clocks differ. */
  readonly deadlineMs?: number;
  readonly traceparent?: string;
  /** The event that the asking side is handling: what is published because of the call was caused by it. */
  readonly event?: NonNullable<Flow['event']>;
  /** Whose share it is in, where some module is in canary. */
  readonly share?: Share;
  /** The module that asks; the token of the connection says which host vouches for it. */
  readonly caller?: string;
  /** The client's own Authorization header: the one asked verifies it once more. */
  readonly authorization?: string;
  /** Of a shadow: who asked for what it is a shadow of, and from where, where that was not the calling module. */
  readonly principal?: unknown;
  readonly address?: unknown;
}

/** Who asked for what a shadow is of, and from where. */
export interface Asker {
  readonly principal: Principal;
  readonly address?: string | undefined;
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
  /** Seconds; the Retry-After of the problem in `data`. */
  readonly retryAfter?: number;
}

/** Any message, before it is known which. */
export interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

// Texts are put together by hand, for a third of what JSON.stringify of the whole costs. Every part that may
// need escaping is stringified.

/** All of a request that does not change from call to call. */
export function requestHead(module: string, operation: string, caller: string, prefix: Prefix): string {
  const method = `${prefix}${module}.${operation}`;
  return `,"method":${JSON.stringify(method)},"params":{"caller":${JSON.stringify(caller)},"traceparent":"`;
}

/** @param input JSON text. */
export function requestText(
  head: string,
  id: number,
  input: string,
  deadlineMs: number,
  traceparent: string,
  event: Flow['event'],
  authorization: string | undefined,
  share: Share | undefined,
  asker?: Asker,
): string {
  const cause = event === undefined ? '' : `,"event":${JSON.stringify(event)}`;
  const who = authorization === undefined ? '' : `,"authorization":${JSON.stringify(authorization)}`;
  const shared =
    share === undefined ? '' : `,"share":${JSON.stringify({ key: share.key, side: share.side })}`;
  const said = asker === undefined ? '' : `,${JSON.stringify(asker).slice(1, -1)}`;
  return `{"jsonrpc":"2.0","id":${id}${head}${traceparent}","deadlineMs":${deadlineMs}${cause}${who}${shared}${said},"input":${input}}}`;
}

/** @param id as it came: JSON-RPC gives it back unchanged. @param result JSON text. */
export function resultText(id: number | string, result: string): string {
  return `{"jsonrpc":"2.0","id":${typeof id === 'number' ? id : JSON.stringify(id)},"result":${result}}`;
}

export function errorText(id: number | string | null, error: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}

export function cancelText(id: number): string {
  return `{"jsonrpc":"2.0","method":"cancel","params":{"id":${id}}}`;
}

export const CLOSING_TEXT = '{"jsonrpc":"2.0","method":"closing"}';

export function problemError(problem: Problem, code = PROBLEM): RpcError {
  const { body, retryAfter } = problem;
  return { code, message: body.title, data: body, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** A problem out of what a peer sent; undefined when it is none. A peer in another language may omit `code`. */
export function problemOf(data: unknown, retryAfter?: unknown): Problem | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { type, title, status, code } = data as Partial<ProblemBody>;
  if (typeof type !== 'string' || typeof title !== 'string' || typeof status !== 'number') return undefined;
  const body = (
    typeof code === 'string' ? data : { ...data, code: type.split(/[:/#]/).at(-1) ?? '' }
  ) as ProblemBody;
  return new Problem(body, typeof retryAfter === 'number' ? { retryAfter } : {});
}

/** Whether a text is larger than a frame may be. */
export function tooLarge(text: string, limit: number): boolean {
  return text.length * 3 > limit && Buffer.byteLength(text) > limit;
}
