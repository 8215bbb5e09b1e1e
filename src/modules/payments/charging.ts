// The job that talks to the card network. It leases what is due, asks outside any transaction, and writes
// the answer with its event in one. Any number of hosts may run it: the network honours the order's key,
// and each record is conditional, so a host that was frozen or killed in between harms nothing.
// A payment whose network is silent (2 x 2 s, then looked up, then voided) holds up no other.
import type { Logger } from 'pino';
import type { Lane } from '../../kernel/lane.ts';
import type { Job } from '../../kernel/module.ts';
import type { Store } from '../../kernel/store/store.ts';
import { type CardNetwork, type ChargeRequest, NoAnswer } from './card-network.ts';
import { type Claimed, type Outcome, record } from './lifecycle.ts';
import type { PaymentRepository } from './repository.ts';

/** Asks that the network never answered, before the charge is given up. */
const mostSilences = 2;
/** Asks in all: with the waits below about 6 s of a network that says it is busy. */
const mostAsks = 10;
/** Rows claimed in one round trip. */
const batch = 32;

export interface ChargingParts {
  readonly store: Store;
  readonly repository: PaymentRepository;
  readonly network: CardNetwork;
  readonly lane: Lane;
  readonly log: Logger;
}

export function chargeJob(parts: ChargingParts): Job {
  const { repository, lane } = parts;
  return {
    name: 'charge',
    everyMs: 1_000,
    async run() {
      const room = Math.min(lane.room, batch);
      if (room <= 0) return false;
      const claimed = await repository.claim(room);
      for (const payment of claimed) lane.start(payment.cause, (signal) => settle(parts, payment, signal));
      return claimed.length === room;
    },
  };
}

/** One lease of one payment: one step at the network, and what came of it. */
async function settle(parts: ChargingParts, payment: Claimed, signal: AbortSignal): Promise<void> {
  const { store, repository, lane, log } = parts;
  try {
    const outcome = await step(parts.network, payment, signal);
    const recorded = await record(store, payment, outcome);
    // What is not recorded was overtaken: the order ended, and whoever ended it made the row due.
    if (outcome.due || !recorded) lane.wakeIn(0);
  } catch (error) {
    if (signal.aborted) {
      await repository.release(payment, 0);
    } else if (error instanceof NoAnswer && payment.status === 'pending') {
      log.info({ orderId: payment.orderId, silences: payment.silences + 1 }, 'the card network is silent');
      await repository.countSilence(payment);
      lane.wakeIn(0);
    } else {
      const wait = Math.min(50 * 2 ** (payment.asks - 1), 1_000);
      log.info({ err: error, orderId: payment.orderId, asks: payment.asks, wait }, 'the card network failed');
      await repository.release(payment, wait);
      lane.wakeIn(wait);
    }
  }
}

async function step(network: CardNetwork, payment: Claimed, signal: AbortSignal): Promise<Outcome> {
  const charge = chargeOf(payment);
  switch (payment.status) {
    case 'pending':
      return payment.silences >= mostSilences || payment.asks > mostAsks
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
async function lookUp(network: CardNetwork, charge: ChargeRequest, signal: AbortSignal): Promise<Outcome> {
  const status = await network.lookup(charge.idempotencyKey, signal);
  return status === 'unknown' ? { to: 'giving-up', due: true } : outcomeOf(status);
}

function outcomeOf(status: Awaited<ReturnType<CardNetwork['charge']>>): Outcome {
  return status === 'captured'
    ? { to: 'captured', event: 'payment-captured' }
    : { to: 'failed', event: 'payment-failed', reason: 'payment-declined' };
}

function chargeOf({ orderId, amountCents, currency, token }: Claimed): ChargeRequest {
  return { idempotencyKey: `order-${orderId}`, orderId, amountCents, currency, token };
}
