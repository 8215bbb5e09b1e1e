// What a way back would lose where the owner's server is gone for good: the passive one has all that was committed before the
// last marker that it saw, and perhaps more. It decides nothing.
import { lastSeen } from './marker.ts';
import type { Moving, ServerAt } from './moving.ts';
import { withSession } from './sessions.ts';

export interface WouldBeLost {
  /** When the owner last said something that the other has; undefined: it never did. */
  readonly since: Date | undefined;
  readonly seconds: number | undefined;
  readonly words: string;
}

/** @param passive the server that is still there. */
export async function wouldBeLost(passive: ServerAt, owner: ServerAt, moving: Moving): Promise<WouldBeLost> {
  const last = await withSession(passive, `store ${moving.module}`, (client) =>
    lastSeen(client, moving, owner),
  );
  if (!last)
    return {
      since: undefined,
      seconds: undefined,
      words: `${passive.name} has never had anything of ${owner.name}: everything that was written there would be missing`,
    };
  const seconds = Math.max(0, Math.round(last.secondsAgo));
  return {
    since: last.at,
    seconds,
    words: `${passive.name} has all that ${owner.name} committed before ${last.at.toISOString()} (${seconds} s ago); what was committed after it, until that server was lost, would be missing`,
  };
}
