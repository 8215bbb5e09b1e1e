// The limit that the rates of orders are quoted against: seven transactions of one statement each for an order, by
// raw pg on the same server, 48 orders at once, and nothing else: no HTTP, no module, no event.
import pg from 'pg';

const TRANSACTIONS = 7;
const AT_ONCE = 48;
const ORDERS = 1_500;

/** Orders a second; the best of three runs, since a limit is what was once reached. */
export async function boundOf(url: string): Promise<number> {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  const write = {
    name: 'bound',
    text: 'INSERT INTO bench_bound (id, n, data) VALUES (gen_random_uuid(), $1, $2)',
  };
  const run = async () => {
    let next = 0;
    const began = performance.now();
    const worker = async () => {
      while (next++ < ORDERS)
        for (let n = 0; n < TRANSACTIONS; n += 1)
          await pool.query({ ...write, values: [n, 'x'.repeat(200)] });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return ORDERS / ((performance.now() - began) / 1_000);
  };
  try {
    await pool.query(
      'CREATE TABLE bench_bound (id uuid PRIMARY KEY, n int, data text, at timestamptz DEFAULT now())',
    );
    const rates = [await run(), await run(), await run()];
    await pool.query('DROP TABLE bench_bound');
    return Math.max(...rates);
  } finally {
    await pool.end();
  }
}
