// The job that talks to the card network: asks outside any transaction, and writes the answer with its event in
// one. Any number of hosts may run it: the network honours the order's key, and each record is conditional, so a
// host that was frozen or killed in between harms nothing.
// A payment whose network is silent (2 x 2 s, then looked up, then voided) holds up no other.
import type { Logger } from 'pino';
import type { Failure, LeasedJob, Outcome, Store } from '#banyan';
import { type CardNetwork, type ChargeRequest, NoAnswer } from './card-network.ts';
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
  readonly log: Logger;
}

export function chargeJob({ store, network, log }: ChargingParts): LeasedJob<ClaimedPayment> {
  return {
    name: 'charge',
    table: charges,
    atOnce: AT_ONCE,
    leaseMs: LEASE_MS,
    waits,

    async work(payment, signal) {
      const answer = await step(network, payment, signal);
      const recorded = await record(store, payment, answer);
      // What is not recorded was overtaken: the order ended, and whoever ended it made the row due.
      return answer.due || !recorded ? 'due' : 'over';
    },

    failed: (payment, failure) => meaningOf(log, payment, failure),
  };
}

function meaningOf(log: Logger, payment: ClaimedPayment, { error, waitMs, stopping }: Failure): Outcome {
  const { orderId, status, asks } = payment;
  if (stopping) return { waitMs };
  if (error instanceof NoAnswer && status === 'pending') {
    const silences = payment.silences + 1;
    log.info({ orderId, silences }, 'the card network is silent');
    return { waitMs: 0, set: { silences } };
  }
  log.info({ err: error, orderId, asks, wait: waitMs }, 'the card network failed');
  return { waitMs };
}

async function step(network: CardNetwork, payment: ClaimedPayment, signal: AbortSignal): Promise<Answer> {
  const charge = chargeOf(payment);
  switch (payment.status) {
    case 'pending':
      return payment.silences >= MAX_SILENCES || payment.asks > MAX_ASKS
        ? lookUp(network, charge, signal)
        : outcomeOf(await network.charge(charge, signal));
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

/**
 * Asked in vain: the network's books decide. What they do not know is voided, but first the row says so:
 * from then on no other host can record a capture that the void would take away again.
 */
async function lookUp(network: CardNetwork, charge: ChargeRequest, signal: AbortSignal): Promise<Answer> {
  const status = await network.lookup(charge.idempotencyKey, signal);
  return status === 'unknown' ? { to: 'giving-up', due: true } : outcomeOf(status);
}

function outcomeOf(status: Awaited<ReturnType<CardNetwork['charge']>>): Answer {
  return status === 'captured'
    ? { to: 'captured', event: 'payment-captured' }
    : { to: 'failed', event: 'payment-failed', reason: 'payment-declined' };
}

function chargeOf({ orderId, amountCents, currency, token }: ClaimedPayment): ChargeRequest {
  return { idempotencyKey: `order-${orderId}`, orderId, amountCents, currency, token };
}
