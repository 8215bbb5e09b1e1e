// Which server each module's store is on when a monolith starts, and that server made ready for it. Guarantees: what has moved
// is not made again where it was; a fence stays shut; what follows gets its tables before what it follows does, and what would
// break a pair is refused before anything is done; STORES says where a store is made, never where it goes.

import type pg from 'pg';
import type { Logger } from 'pino';
import { CONTROL_CHANNEL } from '../placement/schema.ts';
import { makeAt, OWN, readdress, readPlaces, SHARED, type StoreRow } from '../placement/store-places.ts';
import { adminSession } from '../postgres/admin-session.ts';
import { type ProvisionOptions, provision } from '../postgres/provision.ts';
import { madeApartFindings } from '../servers/preflight/made-apart.ts';
import { inWords } from '../servers/tasks/failures.ts';
import type { Sql } from '../store/store.ts';
import { refuseBreaking } from './paired-migrations.ts';
import { type StoreServers, variableOf } from './store-servers.ts';

export interface PlacesOptions {
  readonly provisioning: ProvisionOptions;
  readonly servers: StoreServers;
  /** STORES: where the stores of modules are made that are nowhere yet. */
  readonly wanted: Readonly<Record<string, string>>;
  readonly log: Logger;
}

/** What is where, as this start finds it. */
interface Found {
  readonly places: readonly StoreRow[];
  /** Are nowhere yet, and wanted elsewhere than on the shared server. */
  readonly made: readonly { readonly module: string; readonly server: string }[];
}

/** Answers where the stores are that have ever moved, or were made elsewhere. */
export async function makeReady(options: PlacesOptions): Promise<readonly StoreRow[]> {
  const { provisioning, servers } = options;
  const { adminUrl, session } = provisioning;
  const client = session ?? (await adminSession(adminUrl, 'banyan stores'));
  try {
    const found = await find(client, options);
    const { places, made } = found;
    for (const one of made) await refuseUnlike(client, options, one);
    const paired = places.filter(({ pairedWith }) => pairedWith !== null);
    const reached = (module: string, name: string) => servers.refusal(module, name) === undefined;
    await Promise.all(paired.map((place) => refuseBreaking(place, servers, provisioning.prisma)));
    const passive = paired.filter(
      ({ module, pairedWith }) => pairedWith !== SHARED && reached(module, pairedWith!),
    );
    for (const { module, pairedWith } of passive) await followerAt(options, module, pairedWith!);
    await provision({ ...provisioning, ...asShared(found) });
    if (made.length > 0) await noteMade(client, made, servers);
    const owners = [...places, ...made].filter(
      ({ module, server }) => server !== SHARED && reached(module, server),
    );
    for (const { module, server } of owners) await provisionAt(options, module, server, false);
    for (const { module, server } of owners) await noteAddress(client, module, server, servers);
    return owners.length > 0 || made.length > 0 ? await readPlaces(asSql(client)) : places;
  } finally {
    if (!session) await client.end();
  }
}

/** How a module is made ready on a server; nothing where this host does not reach it. */
export function provisioningAt(
  placing: Pick<PlacesOptions, 'provisioning' | 'servers'>,
  { module, server }: { readonly module: string; readonly server: string },
): Promise<ProvisionOptions>[] {
  return placing.servers.refusal(module, server) === undefined
    ? [provisioningOf(placing, module, server)]
    : [];
}

async function provisioningOf(
  { provisioning, servers }: Pick<PlacesOptions, 'provisioning' | 'servers'>,
  module: string,
  server: string,
): Promise<ProvisionOptions> {
  const { adminUrl } = await servers.serverAt(module, server);
  return {
    ...provisioning,
    ...{
      adminUrl,
      session: undefined,
      modules: [module],
      schemas: [],
      mayChange: undefined,
      ownServer: server === OWN,
    },
  };
}

/** The schema, the roles and the tables of a module on a server. @param fenced nobody of the module gets in. */
export async function provisionAt(
  { provisioning, servers }: Pick<PlacesOptions, 'provisioning' | 'servers'>,
  module: string,
  server: string,
  fenced: boolean,
): Promise<void> {
  try {
    await provision({
      ...(await provisioningOf({ provisioning, servers }, module, server)),
      fenced: fenced ? [module] : [],
    });
  } catch (error) {
    const { message } = error as Error;
    const where = server === OWN ? `The database server of ${module}` : variableOf(server);
    throw new Error(message.replace(/^DATABASE_URL/, where), { cause: error });
  }
}

/** A server that only follows keeps nobody from starting: it follows again when it is back. */
async function followerAt(options: PlacesOptions, module: string, server: string): Promise<void> {
  try {
    await provisionAt(options, module, server, true);
  } catch (error) {
    options.log.warn(
      { module, server, error: (error as Error).message },
      'the server that follows the store was not made ready',
    );
  }
}

async function find(
  client: pg.Client,
  { wanted, servers, log, provisioning }: PlacesOptions,
): Promise<Found> {
  const { rows } = await client.query<{ table: string | null; schemas: string[] }>(
    `SELECT to_regclass('banyan_control.store')::text AS table,
       (SELECT coalesce(array_agg(nspname::text), '{}') FROM pg_namespace WHERE nspname = ANY($1)) AS schemas`,
    [provisioning.modules],
  );
  const { table, schemas } = rows[0]!;
  const places = table === null ? [] : await readPlaces(asSql(client));
  const made: { module: string; server: string }[] = [];
  for (const [module, server] of Object.entries(wanted)) {
    const at =
      places.find((one) => one.module === module)?.server ?? (schemas.includes(module) ? SHARED : undefined);
    if (at === server || (at === undefined && server === SHARED)) continue;
    if (at !== undefined) {
      log.warn(
        `STORES has ${module}=${server}, and the store of ${module} is on the server ${at}, where it stays: STORES says where ` +
          `a store is made. To move it: npx banyan store move ${module} --to ${server}`,
      );
      continue;
    }
    const refusal = servers.refusal(module, server);
    if (refusal !== undefined) throw new Error(`STORES has ${module}=${server}. ${refusal}`);
    made.push({ module, server });
  }
  return { places, made };
}

/** Made there it could never move to the shared server: nobody would know before the day on which it has to. */
async function refuseUnlike(
  client: pg.Client,
  { servers, provisioning }: PlacesOptions,
  { module, server }: Found['made'][number],
): Promise<void> {
  const shared = { server: { name: SHARED, adminUrl: provisioning.adminUrl }, client };
  const found = await madeApartFindings(
    shared,
    await servers.serverAt(module, server),
    servers.moving(module),
  );
  if (found.length === 0) return;
  throw new Error(
    `STORES has ${module}=${server}, and a store that is made there could never move from or to the shared server: ${inWords(found)}`,
  );
}

/** What the shared server is made ready for: here, following, or with its roles alone. */
function asShared({ places, made }: Found): Pick<ProvisionOptions, 'fenced' | 'elsewhere'> {
  const away = places.filter(({ server }) => server !== SHARED);
  const isFollowing = ({ pairedWith }: StoreRow) => pairedWith === SHARED;
  const names = (of: readonly { readonly module: string }[]) => of.map(({ module }) => module);
  return {
    fenced: names(away.filter(isFollowing)),
    elsewhere: names([...away.filter((one) => !isFollowing(one)), ...made]),
  };
}

/** Before its tables are made: another monolith that starts at this moment makes them there as well. */
async function noteMade(client: pg.Client, made: Found['made'], servers: StoreServers): Promise<void> {
  for (const { module, server } of made) {
    const address = await servers.addressAt(module, server);
    await changing(client, (sql) => makeAt(sql, module, server, address!));
  }
}

/** An embedded server may come up on another port than before, and one that was put back may be on another machine. */
async function noteAddress(
  client: pg.Client,
  module: string,
  server: string,
  servers: StoreServers,
): Promise<void> {
  const address = await servers.addressAt(module, server);
  await changing(client, (sql) => readdress(sql, module, server, address!));
}

/** As the control store does it (placement/store.ts), which is not open yet. */
async function changing(client: pg.Client, work: (sql: Sql) => Promise<boolean>): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT FROM banyan_control.state FOR UPDATE');
    if (await work(asSql(client))) {
      await client.query('UPDATE banyan_control.state SET version = version + 1');
      await client.query('SELECT pg_notify($1, $2)', [CONTROL_CHANNEL, '']);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

function asSql(client: pg.Client): Sql {
  return {
    query: async (text, values) => {
      const { rows, rowCount } = await client.query(text, values as unknown[]);
      return { rows, rowCount: rowCount ?? 0 };
    },
  };
}
