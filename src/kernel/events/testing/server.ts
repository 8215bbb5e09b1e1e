// A PostgreSQL server for the tests of this folder, and a database of its own for each test.
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

/** Makes an empty database; `drop` removes it with everything that is still connected. */
export async function openDatabase(serverUrl: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `events_${randomUUID().slice(0, 8)}`;
  const run = async (sql: string) => {
    const client = new Client({ connectionString: serverUrl });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}
