// An endpoint that writes one row, and the same endpoint that writes the row and its event in one statement.
// `node writes-server.ts <database url>`; tells its parent its port, and its CPU when asked.
import Fastify from 'fastify';
import { Pool } from 'pg';
import { eventArguments } from '../../src/kernel/events/publisher.ts';
import { shop, urlOf } from '../../src/kernel/events/testing/shop.ts';

const pool = new Pool({ connectionString: urlOf(process.argv[2]!, 'banyan_shop'), max: 5 });
const app = Fastify();
let next = 0;
const body = () => {
  next += 1;
  return { orderId: `key-${next % 1_000}`, n: next, pad: 'x'.repeat(100) };
};

app.post('/without', async () => {
  const data = body();
  await pool.query({
    name: 'without',
    text: 'INSERT INTO shop.sale (key, n) VALUES ($1, $2)',
    values: [data.orderId, data.n],
  });
  return { n: data.n };
});
app.post('/with', async () => {
  const data = body();
  await pool.query({
    name: 'with',
    text: `WITH row AS (INSERT INTO shop.sale (key, n) VALUES ($9, $10))
      SELECT shop.emit_event($1::uuid, $2, $3, $4, $5::json, $6, $7, $8)`,
    values: [...eventArguments(shop.events.sold, data), data.orderId, data.n],
  });
  return { n: data.n };
});
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as { port: number };
process.on('message', () => process.send!({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit());
process.send!({ port });
