// When a transaction is run again. PostgreSQL ends one of two that wait for each other (deadlock) and one of
// two that cannot both be right (serialization failure): the loser did nothing, and to repeat it is the
// answer. The same holds where the connection was lost before the first statement of the work.
import { setTimeout as pause } from 'node:timers/promises';
import { chain, isConnectionLoss } from '../context/outage.ts';

const MAX_ATTEMPTS = 4;

// PostgreSQL's codes, and Prisma's for both.
const conflicts = new Set(['40001', '40P01', 'P2034']);

/**
 * Runs `attempt` again, up to three times more, after a conflict or a connection that failed before `begun` was
 * called. Waits 20 to 40 ms, then 80 to 160, then 320 to 640: a restarting server is back by then.
 */
export async function withRetries<T>(attempt: (begun: () => void) => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    let begun = false;
    try {
      return await attempt(() => {
        begun = true;
      });
    } catch (error) {
      const again = isConflict(error) || (!begun && isConnectionLoss(error));
      if (!again || count === MAX_ATTEMPTS) throw error;
      await pause(20 * 4 ** (count - 1) * (1 + Math.random()));
    }
  }
}

export function isConflict(error: unknown): boolean {
  return chain(error).some(({ code, originalCode, kind }) =>
    kind === 'TransactionWriteConflict' ? true : conflicts.has(code ?? originalCode ?? ''),
  );
}
