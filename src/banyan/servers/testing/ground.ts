// For the tests of moves: two PostgreSQL servers, and on both the store of one module with the library's tables and two of its
// own. Servers are gone with their folders afterwards.
import { moduleEventTables } from '../../events/tables.ts';
import { openServer, type TestServer } from '../../events/testing/server.ts';
import { limitTables } from '../../limits/tables.ts';
import { provision } from '../../postgres/provision.ts';
import { rolePassword, roleUrl } from '../../postgres/roles.ts';
import { query, silent } from '../../postgres/testing.ts';
import { sagaTables } from '../../saga/tables.ts';
import { type Moving, pairRole, type ServerAt } from '../pair/moving.ts';
import { markerTable } from '../pair/tables.ts';

const secret = 'the secret of these tests';

const own = `CREATE TABLE IF NOT EXISTS parcel (
    id uuid PRIMARY KEY, n int NOT NULL, "sent At" timestamptz NOT NULL DEFAULT now(), note text NOT NULL DEFAULT repeat('x', 100));
  CREATE TABLE IF NOT EXISTS parcel_line (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, parcel uuid NOT NULL REFERENCES parcel (id), weight float8 NOT NULL);`;

export const moving: Moving = {
  module: 'ware',
  schema: 'ware',
  runtime: 'banyan_ware',
  owner: 'banyan_ware_owner',
  pairPassword: rolePassword(secret, pairRole({ runtime: 'banyan_ware' })),
};

export async function provisionAt(adminUrl: string, more = ''): Promise<void> {
  await provision({
    adminUrl,
    secret,
    modules: [moving.module],
    schemas: [],
    moduleDdl: () =>
      `${moduleEventTables()}\n${limitTables()}\n${sagaTables()}\n${markerTable()}\n${own}\n${more}`,
    log: silent,
  });
}

export interface Ground {
  readonly one: ServerAt;
  readonly other: ServerAt;
  readonly servers: readonly [TestServer, TestServer];
  /** The URL of the module's role there. */
  urlAt(server: ServerAt): string;
  close(): Promise<void>;
}

/** @param rows of each of its own tables, at the first one. @param as makes the administrator that is used. */
export async function openGround(
  rows = 0,
  as: (adminUrl: string) => Promise<string> = async (url) => url,
): Promise<Ground> {
  const servers = await Promise.all([openServer(), openServer()]);
  const [one, other] = await Promise.all([as(servers[0].url), as(servers[1].url)]);
  const ground: Ground = {
    one: { name: 'shared', adminUrl: one },
    other: { name: 'own', adminUrl: other },
    servers,
    urlAt: ({ adminUrl }) => roleUrl(adminUrl, secret, moving.runtime),
    async close() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
  for (const { adminUrl } of [ground.one, ground.other]) await provisionAt(adminUrl);
  if (rows > 0) await fill(ground.one.adminUrl, rows);
  return ground;
}

async function fill(adminUrl: string, rows: number): Promise<void> {
  await query(
    adminUrl,
    `WITH p AS (INSERT INTO ware.parcel (id, n) SELECT gen_random_uuid(), i FROM generate_series(1, $1::int) AS i RETURNING id)
     INSERT INTO ware.parcel_line (parcel, weight) SELECT id, random() FROM p`,
    [rows],
  );
}
