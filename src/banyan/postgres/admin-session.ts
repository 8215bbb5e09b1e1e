// A session of the administrator of DATABASE_URL, for the work of a start. Guarantee: whoever is not let in hears what to check.
import type pg from 'pg';
import { createClient } from './connections.ts';

/** @param name what the server shows it as. */
export async function adminSession(url: string, name: string): Promise<pg.Client> {
  const client = createClient({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: 10_000,
  });
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw new Error(
      `DATABASE_URL: the server does not let us in (${(error as Error).message}). Check host, port, user, password and database.`,
      { cause: error },
    );
  }
}
