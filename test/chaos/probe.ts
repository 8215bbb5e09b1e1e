// Whether events come through: one sale for each partition, made after the strike, and the wait until they are
// sent or have taken effect. A partition's probe stands behind everything that the partition had before it.
import { openLog } from '../../src/banyan/events/open-log.ts';
import { quiet } from '../../src/banyan/events/testing/shop.ts';
import type { OpenStore } from '../../src/banyan/store/create.ts';
import { calm } from './campaign.ts';
import type { Ground } from './ground.ts';
import { sell } from './sale.ts';
import type { Sales } from './sales.ts';

/** Among so many keys every one of six partitions has one: all but once in 40,000 runs. */
const CANDIDATES = Array.from({ length: 64 }, (_, n) => `probe-${n}`);

export class Probe {
  readonly #store: OpenStore<undefined>;
  readonly #ground: Ground;
  readonly #sales: Sales;
  /** One for each partition, once that is known. */
  #keys = CANDIDATES;

  constructor({ store, ground, sales }: { store: OpenStore<undefined>; ground: Ground; sales: Sales }) {
    this.#store = store;
    this.#ground = ground;
    this.#sales = sales;
  }

  /** Finds a key for each partition by looking where the log put them. */
  async prepare(patienceMs: number, signal?: AbortSignal): Promise<void> {
    await this.recovered('effect', patienceMs, signal);
    const log = await openLog({ ...this.#ground, hostId: 'probe', log: quiet });
    const found = new Map<number, string>();
    for await (const { key, partition } of log.read('shop.events'))
      if (key && !found.has(partition)) found.set(partition, key);
    await log.close();
    this.#keys = [...found.values()];
  }

  async recovered(by: 'sent' | 'effect', patienceMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = Date.now() + patienceMs;
    const marks = await Promise.all(this.#keys.map((key) => this.#sell(key, deadline, signal)));
    await this.#store.pool.query(`SELECT pg_notify('banyan_outbox_shop', '')`).catch(() => {});
    const reached =
      by === 'sent'
        ? 'SELECT count(*)::int AS n FROM shop.event_sent e JOIN m ON m.key = e.key AND m.n = e.sequence'
        : 'SELECT count(*)::int AS n FROM till.effect e JOIN m ON m.key = e.key AND m.n = e.n';
    await this.#until(`the probes are ${by}`, deadline, signal, async () => {
      const { rows } = await this.#ground
        .at(by === 'sent' ? 'shop' : 'till')
        .query<{ n: number }>(
          `WITH m AS (SELECT * FROM json_to_recordset($1) AS m (key text, n bigint)) ${reached}`,
          [JSON.stringify(marks)],
        );
      return rows[0]!.n >= marks.length;
    });
  }

  /** Everything has come there and back. Gives up, without an error, when nothing moves any more: the sets tell. */
  async settled(total: number, patienceMs: number, signal?: AbortSignal): Promise<void> {
    let best = -1;
    let deadline = Date.now() + patienceMs;
    for (;;) {
      const counts = await Promise.all([
        this.#count('till', 'till.effect'),
        this.#count('shop', 'shop.receipt'),
      ]);
      const n = counts[0] + counts[1];
      if (n >= 2 * total || Date.now() > deadline) return;
      if (n > best) deadline = Date.now() + patienceMs;
      best = n;
      await calm(signal);
    }
  }

  async #count(module: 'shop' | 'till', table: string): Promise<number> {
    const { rows } = await this.#ground
      .at(module)
      .query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
    return rows[0]!.n;
  }

  /** Sells one of a key, again and again while the database is away. */
  async #sell(key: string, deadline: number, signal?: AbortSignal): Promise<{ key: string; n: number }> {
    let mark: { key: string; n: number } | undefined;
    await this.#until(`a sale of ${key} is committed`, deadline, signal, async () => {
      this.#sales.note(1);
      await sell(this.#store, key);
      const { rows } = await this.#ground
        .at('shop')
        .query<{ n: number }>('SELECT n FROM shop.account WHERE key = $1', [key]);
      mark = { key, n: rows[0]!.n };
      return true;
    });
    return mark!;
  }

  async #until(
    what: string,
    deadline: number,
    signal: AbortSignal | undefined,
    done: () => Promise<boolean>,
  ) {
    for (;;) {
      let last: unknown;
      try {
        if (await done()) return;
      } catch (error) {
        last = error;
      }
      if (Date.now() > deadline) {
        const message = `Not recovered: not within the time: ${what}. ${await this.#picture()}`;
        throw new Error(message, last === undefined ? undefined : { cause: last });
      }
      await calm(signal);
    }
  }

  /** Where events are, for whoever has to find out why. */
  async #picture(): Promise<string> {
    const counts = (schema: string) => `
      (SELECT count(*) FROM ${schema}.event_outbox)::int AS ${schema}_outbox,
      (SELECT holder FROM ${schema}.event_lease WHERE name = 'relay') AS ${schema}_relay,
      (SELECT json_object_agg(state, n) FROM
        (SELECT state, count(*) AS n FROM ${schema}.event_delivery GROUP BY state) AS s) AS ${schema}_deliveries`;
    const of = async (module: 'shop' | 'till') => {
      const { rows } = await this.#ground
        .at(module)
        .query(`SELECT ${counts(module)}`)
        .catch((error: Error) => ({ rows: [error.message] }));
      return rows[0];
    };
    return JSON.stringify(await Promise.all([of('shop'), of('till')]));
  }
}
