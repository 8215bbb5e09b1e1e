// The port to the card network: what any acquirer's API comes down to. Every request carries an
// idempotency key, and a network that sees a key again does nothing twice and answers the same.
// It must not know what an order is beyond its id, nor which network stands behind it.

/** A charge as it is named to the network once it was asked for. */
export interface ChargeKey {
  /** One per order, ever: that is why an order is charged at most once. */
  readonly idempotencyKey: string;
  readonly orderId: string;
  readonly amountCents: number;
  readonly currency: string;
}

export interface ChargeRequest extends ChargeKey {
  /** The customer's card, as the network's own client library gave it. */
  readonly token: string;
}

/** Where a charge stands in the network's ledger. */
export type ChargeStatus = 'captured' | 'declined' | 'voided' | 'refunded';

export interface CardNetwork {
  /** Captures the money, or answers how this key ended before. */
  charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeStatus>;
  /** What became of a key; `unknown` may still become something, until it is voided. */
  lookup(idempotencyKey: string, signal: AbortSignal): Promise<ChargeStatus | 'unknown'>;
  /** Gives back what was captured, and closes the key: a charge that arrives later captures nothing. */
  void(request: ChargeKey, signal: AbortSignal): Promise<void>;
  /** Gives back a charge that was settled. */
  refund(request: ChargeKey, signal: AbortSignal): Promise<void>;
}

/** The network said that it cannot serve now. Ask again with the same key. */
export class NetworkBusy extends Error {}

/** The network said nothing in time. What it did is not known: ask again with the same key, or look up. */
export class NoAnswer extends Error {}

/** The network whose every request ends after `limitMs`, with an answer or with NoAnswer. */
export function withTimeLimit(network: CardNetwork, limitMs: number): CardNetwork {
  const limited = async <T>(outer: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const ended = Promise.withResolvers<never>();
    const abort = new AbortController();
    const end = (why: unknown) => {
      abort.abort(why);
      ended.reject(why);
    };
    const leave = () => end(outer.reason);
    const timer = setTimeout(() => end(new NoAnswer(`no answer in ${limitMs} ms`)), limitMs);
    outer.addEventListener('abort', leave, { once: true });
    try {
      if (outer.aborted) throw outer.reason;
      const answer = ask(abort.signal);
      // The answer may reject after the time is up: that rejection must have a handler.
      answer.catch(() => {});
      return await Promise.race([answer, ended.promise]);
    } finally {
      clearTimeout(timer);
      outer.removeEventListener('abort', leave);
    }
  };
  return {
    charge: (request, signal) => limited(signal, (inner) => network.charge(request, inner)),
    lookup: (key, signal) => limited(signal, (inner) => network.lookup(key, inner)),
    void: (request, signal) => limited(signal, (inner) => network.void(request, inner)),
    refund: (request, signal) => limited(signal, (inner) => network.refund(request, inner)),
  };
}
