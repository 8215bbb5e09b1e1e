// A pair that stands goes on standing: a server that was started again may be at another port, and a migration may have made
// tables. Repeatable, and mostly it does nothing. It must not know how far anybody is behind.
import { linkOf, type Moving } from './moving.ts';
import { ensureReadable } from './readable.ts';
import { type End, readdress, readSubscription, worksOn } from './subscription.ts';
import { followedTables, refuseUnlike } from './tables-of.ts';
import { knownTables, takeIn } from './taking-in.ts';

/** Only of a pair that stands both ways: of any other its maker keeps. */
export async function keepPair(owner: End, passive: End, moving: Moving): Promise<void> {
  const ways = [
    [owner, passive],
    [passive, owner],
  ] as const;
  for (const [from, to] of ways)
    if (!(await readSubscription(to.client, linkOf(from.server, to.server, moving)))) return;
  for (const [from, to] of ways)
    if (!(await worksOn(to.client, linkOf(from.server, to.server, moving))))
      await readdress(from, to, moving);
  const tables = await followedTables(owner.client, moving);
  const known = await knownTables(passive.client, linkOf(owner.server, passive.server, moving));
  if (known.size === tables.length && tables.every(({ name }) => known.has(name))) return;
  const between = { source: owner.server, target: passive.server, moving };
  refuseUnlike(between, tables, await followedTables(passive.client, moving));
  for (const { client } of [owner, passive]) await ensureReadable(client, moving, tables);
  for (const [from, to] of ways) await takeIn(from, to, moving, tables);
}
