// What the world is told of a ladder: one line in the log for each change of its rung or state, and a notice to whoever
// asked for them. Guarantees: what is told has happened (rows first); nobody waits for it.
import type { Logger } from 'pino';
import { happened, isChange } from './changes.ts';
import type { EvidenceRow } from './evidence.ts';
import { inWords } from './evidence.ts';
import type { Moved } from './moves.ts';
import type { Notice, Notices } from './notices.ts';

export interface Announcer {
  /** Answers whether there was anything to tell. */
  tell(module: string, moved: Moved, by: string, evidence: readonly EvidenceRow[]): boolean;
}

export function createAnnouncer(log: Logger, notices: Notices): Announcer {
  return {
    tell(module, { before, after, act }, by, evidence) {
      if (!isChange(before, after)) return false;
      const { state, rung, reason } = after;
      const actor = act?.actor ?? (by === 'judge' ? 'judge' : 'operator');
      const telling = evidence.filter(({ verdict }) => state !== 'demoted' || verdict === 'bad');
      const counts = telling.map(
        ({ metric, near, far }) => `${metric}: near ${inWords(near)}, far ${inWords(far)}`,
      );
      const text = `${module} ${happened(before, after)}: ${reason}`;
      const placed = act && { placement: act.placement, percent: act.percent };
      log[state === 'demoted' ? 'warn' : 'info'](
        { module, state, rung, actor, by, reason, ...placed, evidence: counts },
        `a ladder: ${happened(before, after)}`,
      );
      const notice: Notice = {
        text,
        module,
        state,
        rung,
        from: before ? { state: before.state, rung: before.rung } : null,
        placement: placed ?? null,
        actor,
        by,
        reason,
        evidence: [...evidence],
        at: new Date().toISOString(),
      };
      notices.send(notice);
      return true;
    },
  };
}
