// Stores that were put back, and a log in PostgreSQL that was not: it is on another server than they are.
import { afterAll, beforeAll, describe } from 'vitest';
import { createPostgresLog } from '../../log/postgres.ts';
import { triedPutBack } from '../testing/put-back.ts';
import { openServer, type TestServer } from '../testing/server.ts';
import { quiet, urlOf } from '../testing/shop.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server?.stop());

describe('stores put back, the log in PostgreSQL as it is', () => {
  triedPutBack(
    () => server.url,
    (databaseUrl) => createPostgresLog({ url: urlOf(databaseUrl, 'banyan_log'), log: quiet, pollMs: 200 }),
  );
});
