// The recorded shop as it stood when it was killed, on a server and a DATA_DIR of its own, and the present code started
// over it. Guarantees: all times are moved by as long as the recording is old, in rows, in headers of events and in session
// tokens, so that leases, deadlines and sessions run out no sooner than they would have; and the machine is this one, where
// who has died is known to be dead. Nothing else is changed.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from 'jose';
import pg from 'pg';
import { pino } from 'pino';
import { machine, type ProcessIdentity } from '../../src/banyan/context/process.ts';
import { openEmbedded } from '../../src/banyan/postgres/embedded.ts';
import { findPostmaster } from '../../src/banyan/postgres/postmaster.ts';
import { type Env, type Launched, launch } from '../../stage/launch.ts';
import { type Files, type Recording, readRecording, type Stored } from './recording.ts';

export interface Restored {
  readonly recording: Recording;
  readonly underWay: UnderWay;
  /** Orders whose card token stood in clear, in an event that was not sent. */
  readonly clearTokens: { readonly waiting: readonly string[] };
  readonly dataDir: string;
  readonly adminToken: string;
  /** That of the older release, which its services were given. */
  readonly internalKey: string;
  /** By customer: the session that the older release opened, its times moved. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly databaseUrl: string;
  readonly host: Launched;
  stop(): Promise<void>;
}

/** What was under way when it was killed. */
export interface UnderWay {
  /** Of sagas that a coordinator drives, and of payments. */
  readonly steps: readonly string[];
  readonly payments: readonly string[];
  readonly leased: { readonly sagas: number; readonly payments: number; readonly relays: number };
  /** Events that a consumer has failed at, and tries again. */
  readonly waiting: number;
}

/** @param env what the present code is told besides; nothing that the older release was not told, unless said. */
export async function startOver(release: string, env: Env = {}): Promise<Restored> {
  const { recording, database, files } = thisMachine(readRecording(release));
  const dataDir = layOut(files);
  try {
    const { movedMs, underWay, clearTokens } = await restore(dataDir, database, recording);
    const tokens = new Map<string, string>();
    for (const { id, token } of recording.customers)
      tokens.set(id, await movedToken(token, files['signing-key.json']!, movedMs));
    const host = await launch({ env: { PORT: '0', DATA_DIR: dataDir, ...env } }).up();
    const { port } = findPostmaster(join(dataDir, 'postgres/data'))!;
    const password = files['postgres-password']!.trim();
    return {
      recording,
      underWay,
      clearTokens,
      dataDir,
      adminToken: files['admin-token']!.trim(),
      internalKey: files['internal-key']!.trim(),
      tokens,
      databaseUrl: `postgres://postgres:${password}@127.0.0.1:${port}/banyan`,
      host,
      async stop() {
        await host.end();
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
}

function thisMachine({ recording, database, files }: Stored): Stored {
  const { process } = JSON.parse(files['instance.json']!) as { process: ProcessIdentity };
  const moved = (text: string) => text.replaceAll(process.machine, machine);
  const own = Object.entries(files).map(([path, text]) => [path, moved(text)]);
  return { recording, database: moved(database), files: Object.fromEntries(own) };
}

/** Where hosts reach the monolith. */
export async function controlOf({ databaseUrl }: Restored): Promise<string> {
  const sql = `SELECT url FROM banyan_control.host WHERE live AND id = 'monolith'`;
  const { rows } = await withClient(databaseUrl, (client) => client.query<{ url: string }>(sql));
  return rows[0]!.url;
}

/** On the server that the host will find in its DATA_DIR. */
async function restore(dataDir: string, database: string, { at }: Recording) {
  const server = await openEmbedded({ dataDir, log: pino({ level: 'silent' }) });
  try {
    // A dump leaves its own settings in the session.
    await withClient(server.url, (client) => client.query(database));
    return await withClient(server.url, async (client) => {
      const movedMs = Date.now() - Date.parse(at);
      await moveTimes(client, movedMs);
      return { movedMs, underWay: await lookAt(client), clearTokens: await findClear(client) };
    });
  } finally {
    await server.stop();
  }
}

async function lookAt(client: pg.Client): Promise<UnderWay> {
  const modules = ['catalog', 'orders', 'payments', 'notifications'];
  const each = (sql: (module: string) => string) => modules.map((module) => `(${sql(module)})`).join(' + ');
  const { rows } = await client.query<UnderWay>(`
    SELECT ARRAY(SELECT DISTINCT path || ' ' || step FROM orders.sagas WHERE path <> 'done') AS steps,
      ARRAY(SELECT DISTINCT status FROM payments.payments) AS payments,
      json_build_object(
        'sagas', (SELECT count(*) FROM orders.sagas WHERE due_at > now()),
        'payments', (SELECT count(*) FROM payments.payments WHERE due_at > now()),
        'relays', ${each((module) => `SELECT count(*) FROM ${module}.event_lease WHERE expires_at > now()`)}
      ) AS leased,
      (${each((module) => `SELECT count(*) FROM ${module}.event_delivery WHERE state = 'waiting'`)})::int AS waiting`);
  return rows[0]!;
}

async function findClear(client: pg.Client): Promise<Restored['clearTokens']> {
  const { rows } = await client.query<{ id: string }>(
    ['orders', 'catalog']
      .map((module) => `SELECT key AS id FROM ${module}.event_outbox WHERE data ->> 'paymentToken' ~ '^tok_'`)
      .join(' UNION '),
  );
  return { waiting: rows.map(({ id }) => id) };
}

function layOut(files: Files): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-upgrade-'));
  chmodSync(dataDir, 0o711);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dataDir, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(dataDir, path), content, { mode: 0o600 });
  }
  return dataDir;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function moveTimes(client: pg.Client, movedMs: number): Promise<void> {
  const moved = `interval '${movedMs} milliseconds'`;
  const { rows } = await client.query<{ name: string; type: string; place: string }>(`
    SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS place, quote_ident(column_name) AS name,
      data_type AS type
    FROM information_schema.columns JOIN information_schema.tables USING (table_catalog, table_schema, table_name)
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
      AND (data_type LIKE 'timestamp%' OR column_name = 'headers')`);
  for (const place of new Set(rows.map((row) => row.place))) {
    const columns = rows.filter((row) => row.place === place);
    const changes = columns.map(({ name, type }) =>
      type.startsWith('timestamp')
        ? `${name} = ${name} + ${moved}`
        : `${name} = jsonb_set(${name}::jsonb, '{ce_time}', to_jsonb(
             to_char((${name} ->> 'ce_time')::timestamptz AT TIME ZONE 'UTC' + ${moved}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))::json`,
    );
    await client.query(`UPDATE ${place} SET ${changes.join(', ')}`);
  }
}

/** As the older release would have signed it later: the same claims, under its own key. */
async function movedToken(token: string, signingKey: string, movedMs: number): Promise<string> {
  const key = await importJWK(JSON.parse(signingKey), 'EdDSA');
  const { alg, ...header } = decodeProtectedHeader(token);
  const { iat, exp, ...claims } = decodeJwt(token);
  const later = Math.round(movedMs / 1000);
  return new SignJWT({ ...claims, iat: iat! + later, exp: exp! + later })
    .setProtectedHeader({ alg: alg!, ...header })
    .sign(key);
}
