// Whether a store can be moved to a server, before anything is done: every reason against it at once, each with its remedy.
// Guarantee: it changes nothing on either server. Whether hosts are new enough only the registry knows.

import type { Moving, ServerAt } from '../pair/moving.ts';
import { endSoon, openSession } from '../pair/sessions.ts';
import type { Finding } from './finding.ts';
import { rightsOutside } from './outside.ts';
import { reachFindings } from './reach.ts';
import { limitFindings, readFacts, serverFindings, unlikeFindings } from './server-facts.ts';
import { storeFindings } from './store-facts.ts';
import { extensionFindings, roomFindings, targetFindings } from './target-facts.ts';

export type { Finding } from './finding.ts';

export interface PreflightFacts {
  /** Where the target's files lie on this machine: what is free there. */
  readonly freeBytes?: number | undefined;
  /** So many connections hosts may open at the target. */
  readonly connections?: number | undefined;
  /** Rights outside of the schema that stay good after a move, because what they are for does not move: `schema.name` or `schema.*`. */
  readonly exempt?: readonly string[] | undefined;
}

export async function preflight(
  source: ServerAt,
  target: ServerAt,
  moving: Moving,
  { freeBytes, connections, exempt = [] }: PreflightFacts = {},
): Promise<Finding[]> {
  const sessions = await Promise.all(
    [source, target].map((server) =>
      openSession(server, `preflight ${moving.module}`).catch((error: Error) => error),
    ),
  );
  const [here, there] = sessions;
  try {
    if (here instanceof Error || there instanceof Error)
      return sessions.filter((one) => one instanceof Error).map(unreachable);
    const from = { server: source, client: here! };
    const to = { server: target, client: there! };
    const [ofSource, ofTarget] = await Promise.all([readFacts(from, moving), readFacts(to, moving)]);
    const unlike = unlikeFindings(source, target, ofSource, ofTarget);
    // The rest would speak of one server as if it were two.
    if (unlike.some(({ code }) => code === 'same-server')) return unlike;
    const may = ofSource.maySubscribe && ofTarget.maySubscribe;
    return [
      ...unlike,
      ...serverFindings(source, ofSource),
      ...serverFindings(target, ofTarget, connections),
      ...limitFindings(source, ofSource, 'source'),
      ...limitFindings(target, ofTarget, 'target'),
      ...(may ? await reachFindings(from, to, moving) : []),
      ...(await storeFindings(from, moving)),
      ...(await rightsOutside(from, moving, exempt)),
      ...(await extensionFindings(from, to, moving)),
      ...(await targetFindings(to, moving)),
      ...(await roomFindings(from, to, moving, freeBytes)),
    ];
  } finally {
    for (const session of sessions) if (!(session instanceof Error)) endSoon(session);
  }
}

function unreachable({ message }: Error): Finding {
  return {
    code: 'server-unreachable',
    detail: message,
    remedy: 'Check that it runs, and host, port, user, password and database of its URL',
  };
}
