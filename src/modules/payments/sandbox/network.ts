// A card network to try things on: behaves as a real one does, misbehaves on demand by the card's token.
//
//   tok_ok        captured
//   tok_flaky     busy twice per idempotency key, then captured
//   tok_timeout   never answers and never charges
//   tok_lost      charges, and the answer never arrives: only a lookup tells
//   tok_declined  declined, like every other token
//
// What follows a dot is the card's own and decides nothing: `tok_ok.4711` is captured.
// A key that has an entry in the ledger is answered from it, whatever the token.
import { type CardNetwork, type ChargeRequest, type ChargeStatus, NetworkBusy } from '../card-network.ts';
import type { Ledger } from './ledger.ts';

export function sandboxNetwork(ledger: Ledger): CardNetwork {
  return {
    async charge(request, signal) {
      switch (request.token.split('.', 1)[0]) {
        case 'tok_ok':
          return ledger.enter(request, 'captured');
        case 'tok_flaky':
          return flaky(ledger, request);
        case 'tok_timeout':
          return (await ledger.status(request.idempotencyKey)) ?? silence(signal);
        case 'tok_lost':
          await ledger.enter(request, 'captured');
          return silence(signal);
        default:
          return ledger.enter(request, 'declined');
      }
    },
    lookup: async (idempotencyKey) => (await ledger.status(idempotencyKey)) ?? 'unknown',
    void: (request) => ledger.void(request),
    refund: (request) => ledger.refund(request),
  };
}

const FAILURES_PER_KEY = 2;

async function flaky(ledger: Ledger, request: ChargeRequest): Promise<ChargeStatus> {
  if ((await ledger.countFailure(request.idempotencyKey)) <= FAILURES_PER_KEY)
    throw new NetworkBusy('the network is busy, as this token asks for');
  return ledger.enter(request, 'captured');
}

function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
