// What a version before knew of who did what is taken over, once; what is refused leaves no act.
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './fixture.ts';
import { controlSchema } from './schema.ts';
import { createControlStore } from './store.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

test('what rows of a version before say is taken over once, in the order in which it happened', async () => {
  const { admin } = await server.database(controlSchema());
  const client = new pg.Client({ connectionString: admin });
  await client.connect();
  try {
    await client.query(`SET search_path = banyan_control;
      DROP TABLE act;
      INSERT INTO operator (name, scopes, hash, made_at, made_by, revoked_at, revoked_by) VALUES
        ('ada', '{read}', 'x', '2026-01-01', 'operator', '2026-03-01', 'grace'),
        ('linus', '{place}', 'x', '2026-02-01', 'ada', NULL, NULL)`);
    await client.query(controlSchema().ddl);
    await client.query(controlSchema().ddl);
    const { rows } = await client.query('SELECT by, what FROM act ORDER BY id');
    expect(rows).toEqual([
      { by: 'operator', what: 'added the operator ada' },
      { by: 'ada', what: 'added the operator linus' },
      { by: 'grace', what: 'revoked the operator ada' },
    ]);
  } finally {
    await client.end();
  }
});

test('what was refused, or was so already, is no act', async () => {
  const { urlOf } = await server.database(controlSchema());
  const store = createControlStore({ url: urlOf('banyan_control'), log: pino({ level: 'silent' }) });
  try {
    await store.operators.add('ada', ['read'], 'x', 'grace');
    await store.operators.add('ada', ['read'], 'x', 'linus');
    await store.operators.revoke('nobody', 'linus');
    await store.operators.revoke('ada', 'grace');
    await store.operators.revoke('ada', 'linus');
    await store.keys.revoke('no key', 'linus');
    expect(await store.services.want('no-module', 1, null, 'linus')).toBe('unknown-module');
    const { rows } = await store.sql.query('SELECT by, what FROM act ORDER BY id');
    expect(rows).toEqual([
      { by: 'grace', what: 'added the operator ada' },
      { by: 'grace', what: 'revoked the operator ada' },
    ]);
  } finally {
    await store.close();
  }
});
