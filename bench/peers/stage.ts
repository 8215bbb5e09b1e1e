// What stands around the peers: a PostgreSQL server of its own with the rows of the work, and the check that every
// variant answers with the same bytes before it is measured.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { openEmbedded } from '../../src/banyan/postgres/embedded.ts';
import { freePort } from '../../src/banyan/postgres/free-port.ts';
import type { Running } from './load.ts';
import { start } from './processes.ts';
import type { Shape, Variant } from './variants.ts';
import {
  DDL,
  findOrder,
  findProducts,
  findUser,
  ORDERS,
  orderAt,
  orderId,
  place,
  productAt,
  userAt,
} from './work.ts';

export interface Stage {
  readonly databaseUrl: string;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-peers-'));
  const server = await openEmbedded({ dataDir, log: pino({ level: 'warn' }) });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(DDL);
  const insert = (table: string, rows: readonly object[]) =>
    client.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [
      JSON.stringify(rows),
    ]);
  const up = <T>(count: number, at: (n: number) => T) => Array.from({ length: count }, (_, n) => at(n));
  await insert(
    'orders.orders',
    up(ORDERS, orderAt).map(({ userId, ...row }) => ({ ...row, user_id: userId })),
  );
  await insert('users.users', up(100, userAt));
  await insert(
    'catalog.products',
    up(200, productAt).map(({ priceCents, ...row }) => ({ ...row, price_cents: priceCents })),
  );
  await client.query('ANALYZE');
  await client.end();
  return {
    databaseUrl: server.url,
    async close() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const READY_MS = 120_000;

/** Started, and seen to answer what it should. */
export async function startVariant(
  variant: Variant,
  shape: Shape,
  databaseUrl: string | undefined,
): Promise<Running> {
  const port = await freePort();
  const processes = (await variant.commands(shape, port, databaseUrl)).map(start);
  const url = `http://127.0.0.1:${port}`;
  const wanted = JSON.stringify(await answerOf(7));
  const deadline = Date.now() + READY_MS;
  for (let seen = 'nothing'; ; ) {
    const ended = processes.find(({ running }) => !running);
    if (ended) throw new Error(`${variant.peer} ${shape}: ${ended.child.spawnargs.join(' ')} ended`);
    try {
      const response = await fetch(`${url}/api/orders/${orderId(7)}`);
      seen = await response.text();
      if (seen === wanted) return { peer: variant.peer, url, processes };
    } catch (error) {
      seen = String(error);
    }
    if (Date.now() > deadline)
      throw new Error(
        `${variant.peer} ${shape} answers ${seen.slice(0, 300)}; ${wanted.slice(0, 300)} is right`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function answerOf(n: number) {
  const order = await findOrder(orderId(n));
  const ids = order.lines.map(({ productId }) => productId);
  return place(order, await findUser(order.userId), await findProducts(ids));
}
