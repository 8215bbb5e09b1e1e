// Whose share a request is in, found when somebody first asks, and then the same for everything that the request does
// here. Nothing is read of a request that meets no module in canary. The router asks before any hook has run.
import type { IncomingMessage } from 'node:http';
import { isKey, isSide, type Share, traceKey } from '../context/share.ts';
import { claimedUser } from '../identity/claimed-user.ts';
import { noteSideAsked } from '../routing/side.ts';
import { traceFor } from './traced.ts';

/** Where an operator wants a request to go. */
export const SIDE_HEADER = 'x-banyan-side';
/** The key of the share, from host to host. */
export const SHARE_HEADER = 'x-banyan-bucket';

const SHARE = Symbol('share');

type Shared = IncomingMessage & { [SHARE]?: RequestShare };

/** The share of a request of a client. */
export function shareOf(raw: Shared): Share {
  raw[SHARE] ??= new RequestShare(raw);
  return raw[SHARE];
}

/** What another host said of it, once that host was let in; undefined where it said nothing. */
export function sharePassedOn(raw: Shared): Share | undefined {
  return raw[SHARE];
}

/** Believes the key that another host sent: only once its token was verified. */
export function believeShare(raw: Shared): void {
  const key = raw.headers[SHARE_HEADER];
  if (!isKey(key)) return;
  raw[SHARE] = new RequestShare(raw, key);
  if (raw[SHARE].side) noteSideAsked();
}

class RequestShare implements Share {
  readonly side: Share['side'];
  readonly #raw: IncomingMessage;
  #key: string | undefined;

  constructor(raw: IncomingMessage, key?: string) {
    const side = raw.headers[SIDE_HEADER];
    this.side = isSide(side) ? side : undefined;
    this.#raw = raw;
    this.#key = key;
  }

  get key(): string {
    this.#key ??= keyOf(this.#raw);
    return this.#key;
  }
}

function keyOf(raw: IncomingMessage): string {
  const { authorization, 'idempotency-key': once } = raw.headers;
  const user = authorization === undefined ? undefined : claimedUser(authorization);
  return user ?? (isKey(once) ? once : traceKey(traceFor(raw)));
}
