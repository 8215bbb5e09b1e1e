// What a handler learns of the call it serves, whichever door it came by, and how that travels: the
// deadline, the cancellation and the trace follow the asynchronous flow, so that business code never
// passes them on by hand.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Principal, SessionUser } from './principal.ts';
import type { Share } from './share.ts';

/** A file of a multipart upload, read whole (never more than the operation's `maxBytes`). */
export interface Upload {
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** The answer of a `download` operation: the door adds ETag comparison, ranges and cache headers. */
export interface Download {
  readonly contentType: string;
  readonly bytes: Buffer;
  /** A strong validator, without quotes. */
  readonly etag: string;
  /** Cache-Control, whole. */
  readonly cacheControl: string;
}

export interface Call {
  readonly principal: Principal;
  /** Milliseconds since the epoch; a remote call carries what is left of it. Infinity: none. */
  readonly deadline: number;
  /** Aborted when the caller went away or the deadline passed. Absent where nobody could abort. */
  readonly signal?: AbortSignal;
  /** W3C traceparent of the span this call runs in. */
  readonly traceparent: string;
  readonly upload?: Upload;
  /** The client's address, where a client asked by HTTP. */
  readonly address?: string;
  /** Set by the handler of what an administrator does: how it was, and how it is now, for the security log. Never a secret. */
  change?: Change;
}

/** What an administrator changed. */
export interface Change {
  readonly before?: unknown;
  readonly after?: unknown;
}

/** The call of an operation with `access: 'session'`: the dispatcher lets nobody but users through. */
export interface SessionCall extends Call {
  readonly user: SessionUser;
}

/** The call of an operation that takes a file. */
export interface UploadCall extends Call {
  readonly upload: Upload;
}

/** What follows the asynchronous flow. `transaction` names the open store transaction, if there is one. */
export interface Flow {
  readonly deadline: number;
  readonly signal?: AbortSignal;
  readonly traceparent: string;
  readonly transaction?: string;
  /** Whose share this is in; absent: its trace's (share.ts). */
  readonly share?: Share;
  /** The event being handled: what is published meanwhile was caused by it (and is suppressed in a replay). */
  readonly event?: { readonly id: string; readonly correlationId: string; readonly replay: boolean };
}

const storage = new AsyncLocalStorage<Flow>();

/** The flow of the work running now; undefined outside of any. */
export function currentFlow(): Flow | undefined {
  return storage.getStore();
}

export function withFlow<T>(flow: Flow, work: () => T): T {
  return storage.run(flow, work);
}
