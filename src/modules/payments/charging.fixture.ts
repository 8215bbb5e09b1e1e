// Payments' own store on a real server, without the rest of the shop: for tests that need to decide
// which of two things happens first. Published events stay in the outbox, where tests read them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { PrismaClient } from '../../../prisma/payments/client/client.ts';
import { createPublisher } from '../../banyan/events/publisher.ts';
import { moduleEventTables } from '../../banyan/events/tables.ts';
import { createLeasedJob } from '../../banyan/jobs/leased.ts';
import { createJobTask } from '../../banyan/jobs/loop.ts';
import { WorkerPool } from '../../banyan/jobs/worker-pool.ts';
import { openEmbedded } from '../../banyan/postgres/embedded.ts';
import { provision } from '../../banyan/postgres/provision.ts';
import { roleUrl } from '../../banyan/postgres/roles.ts';
import { createPool, createStore, sqlOf } from '../../banyan/store/create.ts';
import { noSecurityLog, type SecurityLog } from '../../banyan/telemetry/security-log.ts';
import { type CardNetwork, withTimeLimit } from './card-network.ts';
import { chargeJob } from './charging.ts';
import { payments } from './contract.ts';
import { Ledger } from './sandbox/ledger.ts';
import { sandboxNetwork } from './sandbox/network.ts';
import { cardNetworkSchema } from './sandbox/schema.ts';

const log = pino({ level: 'silent' });
const secret = 'a secret of this test';

export type PaymentsAlone = Awaited<ReturnType<typeof paymentsAlone>>;

export async function paymentsAlone() {
  const dataDir = await mkdtemp(join(tmpdir(), 'payments-'));
  const server = await openEmbedded({ dataDir, log });
  const adminUrl = server.url;
  await provision({
    adminUrl,
    secret,
    modules: ['payments'],
    prisma: new URL('../../../prisma/', import.meta.url),
    schemas: [cardNetworkSchema],
    moduleDdl: moduleEventTables,
    log,
  });
  const store = createStore({
    module: 'payments',
    url: roleUrl(adminUrl, secret, 'banyan_payments'),
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),
    publisher: createPublisher(payments),
    onCommit: () => {},
    strict: true,
    log,
  });
  const pool = createPool(roleUrl(adminUrl, secret, cardNetworkSchema.role), 'card_network', log, 3);
  const ledger = new Ledger(sqlOf(pool));

  return {
    store,
    ledger,
    network: sandboxNetwork(ledger),

    /** One more host that charges; nothing runs until it is started, or its job is run by hand. */
    host(
      network: CardNetwork,
      askLimitMs = 2_000,
      unseal = async (sealed: string) => sealed,
      security: SecurityLog = noSecurityLog,
    ) {
      const workers = new WorkerPool({ name: 'charge', limit: 128, wake: () => task.wake(), log });
      const charging = chargeJob({
        ended: () => {},
        troubled: () => {},
        store,
        network: withTimeLimit(network, askLimitMs),
        unseal,
        security,
        log,
      });
      const job = createLeasedJob(charging, { store, workers, log });
      const task = createJobTask(job, log);
      return { job, task, workers, close: () => task.stop().then(() => workers.close()) };
    },

    /** As after a kill whose lease has run out: what is leased is due now. */
    expireLeases: () => store.pool.query('UPDATE payments SET due_at = now() WHERE due_at IS NOT NULL'),

    async payment(orderId: string) {
      const { rows } = await store.pool.query('SELECT * FROM payments WHERE order_id = $1', [orderId]);
      return rows[0] as
        | { status: string; asks: number; token: string | null; due_at: Date | null }
        | undefined;
    },

    /** The names of what was published about an order, in order. */
    async published(orderId: string): Promise<string[]> {
      const { rows } = await store.pool.query(
        'SELECT type FROM event_outbox WHERE key = $1 ORDER BY position',
        [orderId],
      );
      return rows.map((row) => row.type.split('.')[1]);
    },

    charges: async (orderId: string) =>
      (await ledger.newest(orderId, undefined, 10)).map((charge) => charge.status),

    async close() {
      await pool.end();
      await store.close();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
