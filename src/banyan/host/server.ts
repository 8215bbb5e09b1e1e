// The embedded server of this host's DATA_DIR, held by this host alone. Whoever holds it ends it; who does not
// get it leaves it to the other.
import type pg from 'pg';
import type { Logger } from 'pino';
import { createClient } from '../postgres/connections.ts';
import { openEmbedded } from '../postgres/embedded.ts';
import { type Undo, within } from './undo.ts';

export interface HeldServer {
  /** The superuser's URL. */
  readonly url: string;
  /** The superuser's session that holds it, for work of the start. */
  readonly session: pg.Client;
  /** How often it was killed since the start, and started again. */
  readonly restarts: () => number;
}

/** As long as it has where nothing else took its time: the last checkpoint may write much. */
const SERVER_MS = 20_000;

/** The two numbers of the lock; the one alone is what hosts of the version before take. */
const OWNER_LOCK = 7_220_003;
const [OWNER, BANYAN] = [3, 722];

/**
 * Resolves once the server is on its way: from then on another process works, and this one has only to wait for
 * `server`. Ending it is the first thing in `undo`, so it is done last.
 */
export async function beginServer(
  dataDir: string,
  log: Logger,
  undo: Undo,
): Promise<{ server: Promise<HeldServer> }> {
  let begun = () => {};
  const isBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const ending: Ending = { end: undefined };
  const server = open(dataDir, log, begun, ending);
  const settled = server.then(
    () => {},
    () => {},
  );
  undo.push(
    'embedded PostgreSQL',
    async (ms) => {
      const by = performance.now() + ms;
      // Whose it is, is known once it answered. One that stands still never does.
      await within(ms / 2, settled);
      if (!ending.end) return;
      await ending.end(by - performance.now());
      // What opening it has half made is removed by itself.
      await within(by - performance.now(), settled);
    },
    SERVER_MS,
  );
  await Promise.race([isBegun, server]);
  return { server };
}

/** How what is there so far is ended; undefined where that is not for this host to do. */
interface Ending {
  end: ((ms: number) => Promise<void>) | undefined;
}

async function open(
  dataDir: string,
  log: Logger,
  onStarted: () => void,
  ending: Ending,
): Promise<HeldServer> {
  const embedded = await openEmbedded({
    dataDir,
    log,
    onStarted: (giveUp) => {
      ending.end = giveUp;
      onStarted();
    },
  });
  ending.end = embedded.adopted ? undefined : (ms) => embedded.stop(ms);
  // Whoever started it: it serves the host that holds it.
  const session = await holdAlone(embedded.url, dataDir, () => {
    ending.end = undefined;
  });
  ending.end = async (ms) => {
    // One that hangs answers no goodbye.
    await within(Math.min(ms / 4, 500), session.end()).catch(() => {});
    await embedded.stop(ms * 0.75);
  };
  return { url: embedded.url, session, restarts: () => embedded.restarts };
}

/** Whether it is ours, and whether a host of the version before has its own: anybody else who took that has taken nothing. */
const HOLD = `SELECT pg_try_advisory_lock($1, $2) AS held, NOT pg_try_advisory_lock($3::bigint) AND EXISTS (
  SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.objid::bigint = $3::bigint AND a.usename = current_user
) AS older`;

/**
 * The server is ours, and so are its advisory locks of two numbers: no role of a module can take one. Those of one
 * number stay everybody's.
 */
async function keepForOurselves(client: pg.Client): Promise<void> {
  const asked = await client.query<{ open: boolean }>(
    `SELECT has_function_privilege('public', 'pg_try_advisory_lock(integer, integer)', 'EXECUTE') AS open`,
  );
  if (!asked.rows[0]!.open) return;
  const { rows } = await client.query<{ door: string }>(
    `SELECT oid::regprocedure::text AS door FROM pg_proc
     WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
       AND pronargs = 2`,
  );
  await client.query(`REVOKE EXECUTE ON FUNCTION ${rows.map(({ door }) => door).join(', ')} FROM PUBLIC`);
}

/**
 * One monolith per DATA_DIR: the lock is a session's, so a killed process holds it no longer.
 * @param onTaken another host holds it, as yet.
 */
async function holdAlone(url: string, dataDir: string, onTaken: () => void): Promise<pg.Client> {
  const client = createClient({ connectionString: url, application_name: 'banyan monolith' });
  await client.connect();
  // The server notices a killed client within moments, not at once.
  const deadline = Date.now() + 3000;
  await keepForOurselves(client);
  for (;;) {
    const { rows } = await client.query<{ held: boolean; older: boolean }>(HOLD, [BANYAN, OWNER, OWNER_LOCK]);
    if (rows[0]!.held && !rows[0]!.older) return client;
    // Both or neither: another try takes it once more.
    if (rows[0]!.held) await client.query('SELECT pg_advisory_unlock($1, $2)', [BANYAN, OWNER]);
    onTaken();
    if (Date.now() > deadline) {
      await client.end();
      throw new Error(
        `DATA_DIR ${dataDir} is in use by a Banyan that is running. Stop that one, or set DATA_DIR to another folder.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
