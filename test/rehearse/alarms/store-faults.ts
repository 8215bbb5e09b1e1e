// The disk of a store, and a pair of servers that follow each other.
import type { Fault } from './fault.ts';
import type { AlarmShop } from './stage.ts';

/** What PostgreSQL says of a disk that is full, for each row that orders would write: it cannot be filled everywhere. */
export const diskFull: Fault = {
  name: 'disk',
  part: 'the disk of PostgreSQL, full',
  struck: 'each write of an order refused as by a full disk',
  alarms: [{ alarm: 'BanyanStoreRefuses', labels: { module: 'orders', reason: 'full' } }],
  alone: true,
  async strike({ database }) {
    await database.query(`
      CREATE OR REPLACE FUNCTION orders.rehearsed_full() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`);
    await database.query(
      'CREATE TRIGGER rehearsed_full BEFORE INSERT ON orders.orders EXECUTE FUNCTION orders.rehearsed_full()',
    );
    return async () => {
      await database.query('DROP FUNCTION orders.rehearsed_full() CASCADE');
    };
  },
};

const PATH = '/admin/stores/media';

/** There and back: the embedded server has it, and the other one follows. */
async function paired(shop: AlarmShop): Promise<void> {
  if ((await shop.admin('GET', PATH)).state === 'paired') return;
  for (const server of ['b', 'shared']) {
    await shop.admin('PUT', PATH, { server });
    await ended(shop);
  }
}

async function ended({ admin }: AlarmShop) {
  for (;;) {
    const now = await admin('GET', PATH);
    if (now.move?.endedAt) return now;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export const followerFrozen: Fault = {
  name: 'follower',
  part: 'the server that follows a store',
  struck: 'SIGSTOP of all of it, then SIGCONT',
  alarms: [{ alarm: 'BanyanPairBehind', labels: { module: 'media' } }],
  needs: ['server'],
  alone: true,
  // Its slot counts as left after a minute, and the lag from then on.
  slowMs: 150_000,
  async strike(shop) {
    await paired(shop);
    const goOn = shop.freeze(shop.other!.pid!);
    return async () => goOn();
  },
};

export const pairBroken: Fault = {
  name: 'pair',
  part: 'a pair of servers, broken',
  struck: 'its slot dropped; then `finish`',
  alarms: [{ alarm: 'BanyanPairBroken', labels: { module: 'media' } }],
  needs: ['server'],
  alone: true,
  slowMs: 30_000,
  async strike(shop) {
    await paired(shop);
    const drop = `SELECT pg_terminate_backend(active_pid), pg_drop_replication_slot(slot_name)
      FROM pg_replication_slots WHERE database = current_database()`;
    // Whoever follows takes it again at once.
    for (;;) {
      const dropped = await shop.database.query(drop).catch(() => []);
      if (dropped.length > 0) break;
    }
    return async () => {
      await shop.admin('POST', `${PATH}/finish`);
      await ended(shop);
    };
  },
};
