// The job that talks to the card network: asks outside any transaction, and writes the answer with its event in
// one. Any number of hosts may run it: the network honours the order's key, and each record is conditional, so a
// host that was frozen or killed in between harms nothing.
// The card's token is sealed until here: it is opened for the one request that needs it, and is gone from the row with
// what the network answers.
// A payment whose network is silent (2 x 2 s, then looked up, then voided) holds up no other.
import type { Logger } from 'pino';
import type { Count, Failure, LeasedJob, Outcome, SecurityLog, Store } from '#banyan';
import { type CardNetwork, type ChargeKey, NoAnswer } from './card-network.ts';
import { cardFor } from './contract.ts';
import { type Answer, type ClaimedPayment, record } from './lifecycle.ts';
import { charges } from './repository.ts';

/** Asks that the network never answered, before the charge is given up. */
const MAX_SILENCES = 2;
/** Asks in all: with the waits below about 6 s of a network that says it is busy. */
const MAX_ASKS = 10;
const waits = { firstMs: 50, longestMs: 1_000 };
/**
 * Longer than one ask of the network may take (2 s) and its record; what a killed host held is free again
 * after it, early enough for an order that was killed once to end within its 15 s.
 */
const LEASE_MS = 5_000;
const AT_ONCE = 128;

export interface ChargingParts {
  readonly store: Store;
  readonly network: CardNetwork;
  /** The clear text of a sealed one. */
  readonly unseal: (sealed: string) => Promise<string>;
  readonly security: SecurityLog;
  /** Hears of each payment that came to an end at the network, by the outcome. */
  readonly ended: Count;
  /** Hears of each ask that the network did not answer, by the kind of its failure. */
  readonly troubled: Count;
  readonly log: Logger;
}

export const paymentOutcomes = ['captured', 'declined', 'timeout', 'voided', 'refunded'] as const;
export const networkFailures = ['silent', 'failed'] as const;

export function chargeJob(parts: ChargingParts): LeasedJob<ClaimedPayment> {
  const { store, ended } = parts;
  return {
    name: 'charge',
    table: charges,
    atOnce: AT_ONCE,
    leaseMs: LEASE_MS,
    waits,

    async work(payment, signal) {
      const answer = await step(parts, payment, signal);
      const recorded = await record(store, payment, answer);
      if (recorded && !answer.due) ended({ outcome: inOneWord(answer) });
      // What is not recorded was overtaken: the order ended, and whoever ended it made the row due.
      return answer.due || !recorded ? 'due' : 'over';
    },

    failed: (payment, failure) => meaningOf(parts, payment, failure),
  };
}

function inOneWord({ to, reason }: Answer): string {
  return reason ? reason.replace('payment-', '') : to;
}

function meaningOf(
  { log, troubled }: ChargingParts,
  payment: ClaimedPayment,
  { error, waitMs, stopping }: Failure,
): Outcome {
  const { orderId, status, asks } = payment;
  if (stopping) return { waitMs };
  if (error instanceof NoAnswer && status === 'pending') {
    const silences = payment.silences + 1;
    log.info({ orderId, silences }, 'the card network is silent');
    troubled({ kind: 'silent' });
    return { waitMs: 0, set: { silences } };
  }
  log.info({ err: error, orderId, asks, wait: waitMs }, 'the card network failed');
  troubled({ kind: error instanceof NoAnswer ? 'silent' : 'failed' });
  return { waitMs };
}

async function step(parts: ChargingParts, payment: ClaimedPayment, signal: AbortSignal): Promise<Answer> {
  const { network } = parts;
  const charge = chargeOf(payment);
  switch (payment.status) {
    case 'pending':
      return payment.silences >= MAX_SILENCES || payment.asks > MAX_ASKS
        ? lookUp(network, charge, signal)
        : ask(parts, payment, signal);
    case 'giving-up':
      await network.void(charge, signal);
      return { to: 'failed', event: 'payment-failed', reason: 'payment-timeout' };
    case 'voiding':
      await network.void(charge, signal);
      return { to: 'voided', event: 'payment-voided' };
    case 'refunding':
      await network.refund(charge, signal);
      return { to: 'refunded', event: 'payment-refunded' };
  }
}

/** With the card of another order nobody asks: somebody who had to pass it on has put it to this one. */
async function ask(parts: ChargingParts, payment: ClaimedPayment, signal: AbortSignal): Promise<Answer> {
  const { network, unseal, security } = parts;
  const token = await openToken(payment, unseal);
  if (token !== undefined) return outcomeOf(await network.charge({ ...chargeOf(payment), token }, signal));
  const reason = 'the card is sealed for another order';
  security.write({ event: 'payment.card', outcome: 'refused', target: `order ${payment.orderId}`, reason });
  return outcomeOf('declined');
}

/**
 * Asked in vain: the network's books decide. What they do not know is voided, but first the row says so:
 * from then on no other host can record a capture that the void would take away again.
 */
async function lookUp(network: CardNetwork, charge: ChargeKey, signal: AbortSignal): Promise<Answer> {
  const status = await network.lookup(charge.idempotencyKey, signal);
  return status === 'unknown' ? { to: 'giving-up', due: true } : outcomeOf(status);
}

function outcomeOf(status: Awaited<ReturnType<CardNetwork['charge']>>): Answer {
  return status === 'captured'
    ? { to: 'captured', event: 'payment-captured' }
    : { to: 'failed', event: 'payment-failed', reason: 'payment-declined' };
}

function chargeOf({ orderId, amountCents, currency }: ClaimedPayment): ChargeKey {
  return { idempotencyKey: `order-${orderId}`, orderId, amountCents, currency };
}

/** A compact JWE: a head and four more parts. */
const SEALED = /^eyJ[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/;

/** Undefined: it is sealed for another order. An outbox, a log or a row of the version before may hold it in clear. */
async function openToken(
  { token, orderId }: ClaimedPayment,
  unseal: ChargingParts['unseal'],
): Promise<string | undefined> {
  if (token === null) throw new Error('the payment has no card token any more');
  if (!SEALED.test(token)) return token;
  const [card, head] = [await unseal(token), cardFor(orderId, '')];
  return card.startsWith(head) ? card.slice(head.length) : undefined;
}
