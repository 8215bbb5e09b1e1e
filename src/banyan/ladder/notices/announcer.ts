// What the world is told of a ladder: one line in the log for each change of its rung or state, and a notice to whoever
// asked for them, which is left with the move itself. Guarantees: what is told has happened; nobody waits for it.
import type { Logger } from 'pino';
import { happened, isChange } from '../climb/changes.ts';
import type { Moved } from '../climb/moves.ts';
import type { EvidenceRow } from '../judge/evidence.ts';
import { inWords } from '../judge/evidence.ts';
import type { Notice } from './notice-rows.ts';
import type { Notices } from './notices.ts';

export interface Announcer {
  /** After the commit. Answers whether there was anything to tell. */
  tell(module: string, moved: Moved, by: string, evidence: readonly EvidenceRow[]): boolean;
}

export function createAnnouncer(log: Logger, notices: Pick<Notices, 'wake'>): Announcer {
  return {
    tell(module, moved, by, evidence) {
      const { before, after, act } = moved;
      if (!isChange(before, after)) return false;
      const { state, rung, reason } = after;
      const telling = evidence.filter(({ verdict }) => state !== 'demoted' || verdict === 'bad');
      const counts = telling.map(
        ({ metric, near, far }) => `${metric}: near ${inWords(near)}, far ${inWords(far)}`,
      );
      const placed = act && { placement: act.placement, percent: act.percent };
      log[state === 'demoted' ? 'warn' : 'info'](
        { module, state, rung, actor: actorOf(moved, by), by, reason, ...placed, evidence: counts },
        `a ladder: ${happened(before, after)}`,
      );
      notices.wake();
      return true;
    },
  };
}

/** Undefined: there is nothing to tell. */
export function noticeOf(
  module: string,
  moved: Omit<Moved, 'version'>,
  by: string,
  evidence: readonly EvidenceRow[],
): Notice | undefined {
  const { before, after, act } = moved;
  if (!isChange(before, after)) return undefined;
  const { state, rung, reason } = after;
  return {
    text: `${module} ${happened(before, after)}: ${reason}`,
    module,
    state,
    rung,
    from: before ? { state: before.state, rung: before.rung } : null,
    placement: act ? { placement: act.placement, percent: act.percent } : null,
    actor: actorOf(moved, by),
    by,
    reason,
    evidence: [...evidence],
    at: new Date().toISOString(),
  };
}

const actorOf = ({ act }: Pick<Moved, 'act'>, by: string) =>
  act?.actor ?? (by === 'judge' ? 'judge' : 'operator');
