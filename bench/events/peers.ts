// The same events delivered from Postgres by others: pg-boss and graphile-worker, both with a handler that
// commits one row per event, as many at once as ours. Neither keeps an order within a key, a ledger of what took
// effect, or a log that a second consumer could read: what they do not do is part of what they cost less.
import { runMigrations, run as runWorker } from 'graphile-worker';
import { Pool } from 'pg';
import { PgBoss } from 'pg-boss';
import { createEventRuntime } from '../../src/banyan/events/runtime.ts';
import { openStore, quiet, shop, till, urlOf } from '../../src/banyan/events/testing/shop.ts';
import { createPostgresLog } from '../../src/banyan/log/postgres.ts';
import { on } from '../../src/banyan/saga/on.ts';
import { median, prefill, type Row, ratio, type Stage, whole } from './stage.ts';

const AT_ONCE = 3;

export async function peers(stage: Stage): Promise<Row[]> {
  const n = stage.sizes.deliveries;
  const results = { ours: [] as number[], boss: [] as number[], worker: [] as number[] };
  for (let round = 0; round < Math.min(2, stage.sizes.pairs); round += 1) {
    results.ours.push(await ours(stage, n));
    results.boss.push(await pgBoss(stage, n));
    results.worker.push(await graphileWorker(stage, n));
  }
  const row = (name: string, theirs: number[], ahead: boolean): Row => {
    const runs = results.ours.map((one, at) => one / theirs[at]!);
    return {
      what: `${whole(n)} events delivered from Postgres, each with a committed effect`,
      ours: `${whole(median(results.ours))} events/s`,
      beside: `${name}: ${whole(median(theirs))}/s`,
      ratio: ratio(median(runs)),
      runs,
      goal: ahead ? 'ahead' : 'report',
      ...(ahead ? { met: median(runs) > 1 } : {}),
    };
  };
  return [row('pg-boss', results.boss, true), row('graphile-worker', results.worker, false)];
}

/** Events a second until `n` rows are in `till.effect`. */
async function timed(admin: Pool, n: number, start: () => Promise<() => Promise<unknown>>): Promise<number> {
  const began = performance.now();
  const stop = await start();
  for (;;) {
    const { rows } = await admin.query<{ n: number }>('SELECT count(*)::int AS n FROM till.effect');
    if (rows[0]!.n >= n) break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const took = performance.now() - began;
  await stop();
  return (n / took) * 1000;
}

function ours(stage: Stage, n: number): Promise<number> {
  return stage.database(async (url, admin) => {
    await prefill(admin, n);
    const eventLog = createPostgresLog({ url: urlOf(url, 'banyan_log'), log: quiet });
    const shopStore = openStore(shop, url, () => {});
    const tillStore = openStore(till, url, () => {});
    const common = { contracts: [shop, till], eventLog, hostId: 'bench', log: quiet };
    const selling = createEventRuntime({ ...common, contract: shop, listeners: [], store: shopStore });
    const paying = createEventRuntime({
      ...common,
      contract: till,
      store: tillStore,
      concurrency: AT_ONCE,
      listeners: [
        on(shop.events.sold, async (data, { tx, delivery }) => {
          await tx.sql.query('INSERT INTO effect (id, key, n) VALUES ($1, $2, $3)', [
            delivery.envelope.id,
            data.orderId,
            data.n,
          ]);
        }),
      ],
    });
    try {
      return await timed(admin, n, async () => {
        await Promise.all([selling.relay.start(), paying.consumers.start()]);
        return async () => Promise.all([selling.close(), paying.close()]);
      });
    } finally {
      await eventLog.close();
      await Promise.all([shopStore.close(), tillStore.close()]);
    }
  });
}

function pgBoss(stage: Stage, n: number): Promise<number> {
  return stage.database(async (url, admin) => {
    const boss = new PgBoss({ connectionString: url, max: 5, supervise: false, schedule: false });
    boss.on('error', () => {});
    await boss.start();
    await boss.createQueue('events');
    for (let at = 0; at < n; at += 1_000)
      await boss.insert(
        'events',
        Array.from({ length: Math.min(1_000, n - at) }, (_, one) => ({ data: dataOf(at + one) })),
      );
    const pool = new Pool({ connectionString: url, max: AT_ONCE });
    const effect = writer(pool);
    try {
      return await timed(admin, n, async () => {
        await boss.work<ReturnType<typeof dataOf>>(
          'events',
          { batchSize: 200, pollingIntervalSeconds: 0.5, localConcurrency: AT_ONCE } as never,
          async (jobs) => {
            for (const job of jobs) await effect(job.id, job.data);
          },
        );
        return () => boss.stop({ graceful: false });
      });
    } finally {
      await pool.end();
    }
  });
}

function graphileWorker(stage: Stage, n: number): Promise<number> {
  return stage.database(async (url, admin) => {
    await runMigrations({ connectionString: url });
    await admin.query(
      `SELECT count(graphile_worker.add_job('event', json_build_object(
         'orderId', 'key-' || n % 1000, 'n', n / 1000 + 1, 'pad', repeat('x', 300))))
       FROM generate_series(0, $1::int - 1) n`,
      [n],
    );
    const pool = new Pool({ connectionString: url, max: AT_ONCE + 3 });
    const effect = writer(pool);
    try {
      return await timed(admin, n, async () => {
        const runner = await runWorker({
          pgPool: pool,
          concurrency: AT_ONCE,
          noHandleSignals: true,
          logger: silent,
          // Its own advice for throughput: fetch many at once, give results back together.
          preset: {
            worker: { localQueue: { size: 200 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 },
          } as never,
          taskList: { event: (payload) => effect(crypto.randomUUID(), payload as ReturnType<typeof dataOf>) },
        });
        return () => runner.stop();
      });
    } finally {
      await pool.end();
    }
  });
}

const { Logger } = await import('graphile-worker');
const silent = new Logger(() => () => {});

function dataOf(n: number) {
  return { orderId: `key-${n % 1000}`, n: Math.floor(n / 1000) + 1, pad: 'x'.repeat(300) };
}

/** The effect as the others write it: a bare statement that commits itself. */
function writer(pool: Pool) {
  return async (id: string, { orderId, n }: { orderId: string; n: number }) => {
    await pool.query('INSERT INTO till.effect (id, key, n) VALUES ($1, $2, $3)', [id, orderId, n]);
  };
}
