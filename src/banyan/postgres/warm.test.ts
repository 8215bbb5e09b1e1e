// Connections made before they are needed: what they are asked is prepared, and nothing was run.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ModulePool } from './module-pool.ts';
import { type ThrowawayServer, throwawayServer } from './testing.ts';

let server: ThrowawayServer;
let [here, there] = ['', ''];

beforeAll(async () => {
  server = await throwawayServer();
  [here, there] = [await server.database(), await server.database()];
}, 60_000);
afterAll(() => server?.stop());

test('as many as are here, each with its statements; what cannot be prepared is asked as ever', async () => {
  const pool = new ModulePool({ connectionString: here, max: 3, pipeline: true } as object, () => {});
  const shared = [
    { name: 's1', text: 'SELECT $1::int + 1 AS n' },
    { name: 's2', text: 'SELECT * FROM nowhere' },
    { name: 's3', text: 'CREATE TABLE made (n int)' },
  ];
  pool.asksFor(() => shared);
  try {
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    await pool.warm(there);
    await pool.switchTo(there);

    expect([pool.open, (await sessions(pool)).length]).toEqual([0, 2]);
    const { rows } = await pool.query('SELECT name FROM pg_prepared_statements ORDER BY name');
    expect(rows).toEqual([{ name: 's1' }]);
    for (const n of [1, 2, 3])
      expect((await pool.query({ ...shared[0]!, values: [n] })).rows).toEqual([{ n: n + 1 }]);
    const failing = pool.query(shared[1]!);
    await expect(failing).rejects.toMatchObject({ code: '42P01' });
    expect((await pool.query(`SELECT to_regclass('made') AS made`)).rows).toEqual([{ made: null }]);
  } finally {
    await pool.end();
  }
});

test('a pool that is let go forgets them', async () => {
  const pool = new ModulePool({ connectionString: here, max: 3 }, () => {});
  try {
    await pool.warm(there);
    pool.release();
    await expect.poll(() => sessions(pool)).toEqual([]);
  } finally {
    await pool.end();
  }
});

async function sessions(pool: ModulePool): Promise<unknown[]> {
  const { rows } = await pool.query(
    'SELECT pid FROM pg_stat_activity WHERE datname = $1 AND backend_type = $2',
    [new URL(there).pathname.slice(1), 'client backend'],
  );
  return rows;
}
