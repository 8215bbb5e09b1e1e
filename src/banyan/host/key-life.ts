// How long a key stays after it was replaced: as long as anything that was made with it may come. The one place that
// says so; what each follows from stands beside it.
import { defaultRetention } from '../events/retention.ts';
import { SESSION_SECONDS } from '../identity/session-token.ts';
import type { KeyLife } from '../placement/key-turns.ts';

const HOUR = 3_600;

export const keyLife: KeyLife = {
  // A host that has not heard of the new key signs by the old one for some moments more.
  session: SESSION_SECONDS + HOUR,
  // Tokens live for five minutes.
  internal: HOUR,
  // A sealed text stands in events: in the log, in outboxes, in deliveries, and longest in what people decided about
  // (events/retention.ts), from where it may be sent again. What waits undecided for longer cannot be opened any more.
  seal: (defaultRetention.auditDays + 30) * 24 * HOUR,
};
