// What one host does at a time, whichever database session asks: a lock on an empty table that no module's role may name.
// Advisory locks are anybody's who may log in: a service that was broken into could take one and hold up every start.
// The lock is as strong as keeps others out and no stronger, so the transaction that holds it draws no number and keeps
// no row from being cleared away. It ends with its session. It must not know what is done under it.
import pg from 'pg';

export type LibraryLock = 'provision' | 'seed' | 'roles';

/**
 * Waits for the lock and begins the transaction that holds it; answers what ends both.
 * @param onWait is told when somebody else has it.
 */
export async function hold(
  client: pg.Client,
  name: LibraryLock,
  onWait: () => void = () => {},
): Promise<() => Promise<void>> {
  const lock = `LOCK TABLE banyan_lock.${pg.escapeIdentifier(name)} IN EXCLUSIVE MODE`;
  if (!(await begin(client, name, `${lock} NOWAIT`))) {
    onWait();
    await begin(client, name, lock);
  }
  return async () => {
    await client.query('COMMIT');
  };
}

/** False where it is taken, which only NOWAIT says. */
async function begin(client: pg.Client, name: LibraryLock, lock: string): Promise<boolean> {
  // It stands idle while the work is done elsewhere, for as long as that takes.
  const patient = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
  const settings = patient.map((one) => `SET LOCAL ${one} = 0;`).join(' ');
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(`BEGIN; ${settings} ${lock}`);
      return true;
    } catch (error) {
      await client.query('ROLLBACK');
      const { code } = error as { code?: string };
      if (code === '55P03') return false;
      if (code === '42501') throw new Error(inWords(await userOf(client)), { cause: error });
      // No such schema, no such table.
      if ((code !== '3F000' && code !== '42P01') || attempt > 1) throw error;
      await make(client, name);
    }
  }
}

/** Two hosts at once make it: the second finds it there. */
async function make(client: pg.Client, name: LibraryLock): Promise<void> {
  const made = `CREATE SCHEMA IF NOT EXISTS banyan_lock; CREATE TABLE IF NOT EXISTS banyan_lock.${pg.escapeIdentifier(name)} ()`;
  try {
    await client.query(made);
  } catch (error) {
    if (!['23505', '42P06', '42P07', '42710'].includes((error as { code?: string }).code ?? '')) throw error;
    await client.query(made);
  }
}

async function userOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT current_user AS name');
  return rows[0]!.name;
}

function inWords(user: string): string {
  return (
    `DATABASE_URL: ${user} may not use the schema banyan_lock, which another role made. ` +
    `As that role or a superuser run: ALTER SCHEMA banyan_lock OWNER TO "${user}"; and the same for its tables`
  );
}
