// The card of an order on its way to payments: sealed for that order and for payments alone, before anything is written.
// In clear only while an upgrade lets hosts of the version before charge, since those cannot open it.
import type { Kit } from '#banyan';
import { cardFor, payments } from '../payments/contract.ts';

type Sealing = Pick<Kit, 'sealFor' | 'opensSeals'>;

export function cardsFor({ sealFor, opensSeals }: Sealing) {
  const seal = sealFor(payments.module);
  return async (orderId: string, token: string): Promise<string> =>
    opensSeals(payments.module) ? seal(cardFor(orderId, token)) : token;
}
