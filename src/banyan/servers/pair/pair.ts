// Two servers that both have a store and follow each other: the copy, and then a stream each way that stands until somebody ends
// it. Repeatable after a kill at any statement; on a pair that stands it mends addresses and takes in new tables. A pair that
// is broken is made anew. Guarantees: the target has no rights before it is the owner, and nothing of a store that somebody
// may write is ever emptied. It knows no row that says who the owner is: the source is, its caller says.
import pg from 'pg';
import { atSameInstant } from '../../postgres/same-instant.ts';
import { type Copied, copyEnds } from './copying.ts';
import { fence, isFenced } from './fence.ts';
import { layMarkers, mark, seen } from './marker.ts';
import { linkOf, type Moving, pairRole, publicationOf, type ServerAt } from './moving.ts';
import { stateOf } from './pair-state.ts';
import { ensureReadable } from './readable.ts';
import { endSoon, openSession, withBoth } from './sessions.ts';
import { type End, readdress, readSubscription, subscribe, unsubscribe } from './subscription.ts';
import { followedTables, refuseUnlike } from './tables-of.ts';
import { empty, takeIn } from './taking-in.ts';

export { pairState } from './pair-state.ts';

const { escapeIdentifier: quoted } = pg;

/** A stream that was just begun, on a busy machine. */
const STREAM_MS = 60_000;

/** Resolves when both follow. Both have the schema (provisioned). @param signal ends the watching; the copy goes on. */
export async function makePair(
  source: ServerAt,
  target: ServerAt,
  moving: Moving,
  onProgress: (copied: Copied) => void = () => {},
  signal?: AbortSignal,
): Promise<void> {
  await withBoth(source, target, `pair ${moving.module}`, async (ofSource, ofTarget) => {
    const [from, to] = [
      { server: source, client: ofSource },
      { server: target, client: ofTarget },
    ];
    await refuseSwapped(from, to, moving);
    await fence(ofTarget, moving);
    const tables = await followedTables(ofSource, moving);
    refuseUnlike({ source, target, moving }, tables, await followedTables(ofTarget, moving));
    const [out, back] = [linkOf(source, target, moving), linkOf(target, source, moving)];
    const { state } = await stateOf(source, target, moving, ofSource, ofTarget);
    if (state === 'broken') {
      await unsubscribe(from, to, out);
      await unsubscribe(to, from, back);
    }
    for (const { client } of [from, to]) await ensureReadable(client, moving, tables);
    if (await readSubscription(ofTarget, out)) {
      await readdress(from, to, moving);
      await takeIn(from, to, moving, tables);
    } else {
      // The other direction may still stand: it would carry the emptying of the target to the source.
      await unsubscribe(to, from, back);
      await layMarkers(ofSource, moving, [source, target]);
      await empty(ofTarget, moving, tables);
      await subscribe(from, to, moving, true);
    }
    await copyEnds(from, to, moving, out, onProgress, signal);
    if (await readSubscription(ofSource, back)) {
      await readdress(to, from, moving);
      await takeIn(to, from, moving, tables);
    } else await subscribe(to, from, moving, false);
    await flows(from, to, moving);
    await flows(to, from, moving);
  });
}

/** The copy would empty the store that is in use. */
async function refuseSwapped(from: End, to: End, moving: Moving): Promise<void> {
  if ((await isFenced(from.client, moving)) && !(await isFenced(to.client, moving)))
    throw new Error(
      `${moving.module} is in use on ${to.server.name} and not on ${from.server.name}: it is not copied over`,
    );
}

async function flows(from: End, to: End, moving: Moving): Promise<void> {
  const n = await mark(from.client, moving, from.server);
  if (await seen(to.client, moving, from.server, n, STREAM_MS)) return;
  const { reason } = await stateOf(from.server, to.server, moving, from.client, to.client);
  throw new Error(
    `${to.server.name} does not follow ${from.server.name} after ${STREAM_MS / 1000} s${reason ? `: ${reason}` : ''}. Its log says more`,
  );
}

/**
 * Ends the pair; the stores stay as they are. Repeatable. Of a server that does not answer nothing can be removed.
 * @returns who did not answer, and why.
 */
export async function dropPair(source: ServerAt, target: ServerAt, moving: Moving): Promise<string[]> {
  const purpose = `pair ${moving.module}`;
  const [here, there] = await Promise.all(
    [source, target].map((server) => openSession(server, purpose).catch((error: Error) => error)),
  );
  const unreached = [here, there].filter((one) => one instanceof Error).map(({ message }) => message);
  const from = here instanceof Error ? undefined : { server: source, client: here! };
  const to = there instanceof Error ? undefined : { server: target, client: there! };
  try {
    await unsubscribe(from, to, linkOf(source, target, moving));
    await unsubscribe(to, from, linkOf(target, source, moving));
    // Roles belong to the whole server, and others may be changed there at the same instant.
    for (const end of [from, to]) if (end) await atSameInstant(() => hide(end.client, moving));
    return unreached;
  } finally {
    for (const end of [from, to]) if (end) endSoon(end.client);
  }
}

/** Takes back what `ensureReadable` gives. A role that another database of the server still knows stays, without rights here. */
async function hide(client: pg.Client, moving: Moving): Promise<void> {
  await client.query(`DROP PUBLICATION IF EXISTS ${quoted(publicationOf(moving))}`);
  const role = quoted(pairRole(moving));
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [pairRole(moving)]);
  if (rowCount === 0) return;
  // Who made a role may give itself what it takes to end it.
  await client.query(`GRANT ${role} TO CURRENT_USER WITH INHERIT TRUE`);
  await client.query(`DROP OWNED BY ${role}`);
  await client.query(`DROP ROLE ${role}`).catch((error: { code?: string }) => {
    if (error.code !== '2BP01') throw error;
  });
}
