// What a new version may do to a store that two servers have: definitions are not replicated. Guarantee: before anything is
// changed on either, a migration that the other could not live through is refused, and so is any while the one that follows
// does not answer: it would get rows that it has no place for.
import type pg from 'pg';
import type { StoreRow } from '../placement/store-places.ts';
import { createClient } from '../postgres/connections.ts';
import { destructive } from '../postgres/destructive.ts';
import { pendingMigrations } from '../postgres/migrations.ts';
import type { ProvisionOptions } from '../postgres/provision.ts';
import type { StoreServers } from './store-servers.ts';

/** Rejects with what to do. */
export async function refuseBreaking(
  { module, server, pairedWith }: StoreRow,
  servers: StoreServers,
  prisma: ProvisionOptions['prisma'],
): Promise<void> {
  // Who starts without reaching the owner says so itself, or leaves it to the one that does.
  if (servers.refusal(module, server) !== undefined) return;
  const { adminUrl } = await servers.serverAt(module, server);
  const pending = await on(adminUrl, (client) => pendingMigrations(client, prisma, module)).catch(() => []);
  if (pending.length === 0) return;
  const finish = `Finish the move first, with the version before: npx banyan store finish ${module}`;
  for (const { name, sql } of pending) {
    const [first] = destructive(sql);
    if (first !== undefined)
      throw new Error(
        `The migration ${name} of ${module} ${first}. Its store is on ${server} and followed by ${pairedWith}, which could not follow it any more. ${finish}`,
      );
  }
  const unreached =
    servers.refusal(module, pairedWith!) ??
    (await on((await servers.serverAt(module, pairedWith!)).adminUrl, async () => undefined).catch(
      ({ message }: Error) => message,
    ));
  if (unreached !== undefined)
    throw new Error(
      `${module} has migrations to come, and the server ${pairedWith}, which follows its store, is not reached (${unreached}). ${finish}`,
    );
}

async function on<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = createClient({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    application_name: 'banyan stores',
  });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
