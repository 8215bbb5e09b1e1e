// Where a card's token is in clear: nowhere, at no time, in no style and no placement: every row of every table, every
// event of the log, all that any process printed or wrote. And once its charge is over not even payments has it sealed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { moduleNames } from '../src/banyan/config/environment.ts';
import type { SagaStyle } from '../src/modules/orders/contract.ts';
import { shopApp } from '../src/shop.ts';
import { setStyle, styles } from './saga/checkout.ts';
import { type Shop, unique, withShop } from './shop.ts';

/** All that is kept or printed and has the word: in the form it stands there, or as PostgreSQL shows bytes. */
async function placesOf(shop: Shop, word: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: shop.started.databaseUrl });
  await client.connect();
  const found: string[] = [];
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    expect(tables.length).toBeGreaterThan(40);
    const forms = [word, Buffer.from(word).toString('hex')].map((form) => `%${form}%`);
    for (const { name } of tables) {
      const { rowCount } = await client.query(`SELECT FROM ${name} AS t WHERE t::text LIKE ANY ($1)`, [
        forms,
      ]);
      if (rowCount) found.push(name);
    }
  } finally {
    await client.end();
  }
  for (const entry of readdirSync(shop.dataDir, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(word))
      found.push(entry.name);
  if (shop.started.output().includes(word)) found.push('the output');
  return found;
}

async function tokensKept(shop: Shop): Promise<number> {
  const client = new pg.Client({ connectionString: shop.started.databaseUrl });
  await client.connect();
  const { rows } = await client.query(
    `SELECT (SELECT count(*) FROM payments.payments WHERE token IS NOT NULL)
       + (SELECT count(*) FROM orders.orders WHERE payment_token IS NOT NULL) AS kept`,
  );
  await client.end();
  return Number(rows[0].kept);
}

withShop((shop) => {
  const checkouts = async (style: SagaStyle) => {
    await setStyle(shop(), style);
    const customer = await shop().customer();
    const { id: productId } = await shop().product();
    const own = unique('card');
    const ends = { tok_ok: 'confirmed', tok_declined: 'rejected', tok_timeout: 'rejected' };
    const placed = await Promise.all(
      Object.entries(ends).map(async ([token, status]) => {
        const order = await shop().order(customer, [{ productId, quantity: 1 }], `${token}.${own}`);
        return { ...order, status };
      }),
    );
    const pending = await shop().eventually(async () => {
      const { body } = await shop().call('GET', '/api/payments', { token: customer.token });
      expect(body.items).toHaveLength(3);
      return body.items.some((one: { status: string }) => one.status === 'pending');
    });
    // The silent one takes 4 s.
    expect(pending).toBe(true);
    expect(await placesOf(shop(), own)).toEqual([]);
    for (const { id, status } of placed) expect(await shop().final(customer, id)).toMatchObject({ status });
    await shop().eventually(async () => expect(await tokensKept(shop())).toBe(0));
    expect(await placesOf(shop(), own)).toEqual([]);
    // That the search finds what is there.
    expect(await placesOf(shop(), customer.email)).toContain('users.users');
  };

  test.each(styles)('in one process, by %s', { timeout: 60_000 }, checkouts);

  test.each(styles)('with every module extracted, by %s', { timeout: 120_000 }, async (style) => {
    for (const module of moduleNames(shopApp)) await shop().started.extract(module);
    await checkouts(style);
  });
});
