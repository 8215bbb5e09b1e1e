// How many bearer tokens that are nobody's an address may send: all gateways count together, in the control store.
// Guarantee: only wrong tokens cost anything, and a right one is never refused for them. When the store does not
// answer, a wrong token is refused as without a limit.
import type { Logger } from 'pino';
import { Problem } from '../contract/problem.ts';
import type { IsExempt } from '../limits/address.ts';
import { type AddressRule, createLimits } from '../limits/limits.ts';
import type { ControlStore } from '../placement/store.ts';

/** A person mistypes, a script with an old token repeats: neither needs more. */
const rule: AddressRule = { name: 'wrong tokens', most: 10, seconds: 60 };

/** A name in the log once a minute is enough. */
const SAID_EVERY_MS = 60_000;

/** Undefined store: a service, whose gateway has counted before. */
export function countWrongTokens(store: ControlStore | undefined, isExempt: IsExempt, log: Logger) {
  if (!store) return async () => {};
  const limits = createLimits({ sql: store.sql, schema: 'banyan_control', isExempt });
  let silentUntil = 0;
  return async (address: string | undefined): Promise<void> => {
    try {
      await limits.take(rule, address);
    } catch (error) {
      if (!(error instanceof Problem)) return;
      if (Date.now() > silentUntil) {
        silentUntil = Date.now() + SAID_EVERY_MS;
        log.warn(
          { address },
          'an address sends wrong bearer tokens: somebody guesses, or a script has an old one',
        );
      }
      throw error;
    }
  };
}
