// A look at where a store is must keep no host from starting: a role whose connections somebody holds is told apart.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool } from '../../postgres/connections.ts';
import { query, type ThrowawayServer, throwawayServer } from '../../postgres/testing.ts';
import { atHome, settleIn } from './home.ts';

let server: ThrowawayServer;
beforeAll(async () => {
  server = await throwawayServer();
}, 60_000);
afterAll(() => server?.stop());

test('a store is where it was noted, and a role without a connection left is no other place', async () => {
  const superuser = await server.database();
  await query(superuser, "CREATE ROLE parcels LOGIN PASSWORD 'parcels'");
  await query(superuser, 'CREATE SCHEMA parcels AUTHORIZATION parcels');
  await query(
    superuser,
    'CREATE TABLE parcels.event_home (one boolean PRIMARY KEY DEFAULT true, system text, timeline text, noted_at timestamptz DEFAULT now())',
  );
  await query(superuser, 'GRANT ALL ON parcels.event_home TO parcels');
  const url = new URL(superuser);
  [url.username, url.password] = ['parcels', 'parcels'];
  const pool = openPool({ connectionString: url.href, max: 1 });
  const crowded = openPool({ connectionString: url.href, max: 1 });
  try {
    expect(await atHome(pool, 'parcels')).toBe('first');
    await settleIn(pool, 'parcels');
    expect(await atHome(pool, 'parcels')).toBe('same');
    await query(superuser, 'ALTER ROLE parcels CONNECTION LIMIT 0');
    expect(await atHome(crowded, 'parcels')).toBe('full');
  } finally {
    await pool.end();
    await crowded.end();
  }
});
