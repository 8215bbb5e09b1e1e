// The limit for one product by id: the same SQL by pg behind node:http, and nothing else. Prints its port.
import { createServer } from 'node:http';
import pg from 'pg';

const [databaseUrl] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: databaseUrl, max: 5 });
const TEXT =
  'SELECT id, sku, name, description, price_cents::float8 AS "priceCents", currency, stock, image_id AS "imageId" FROM catalog.products WHERE id = $1';

const server = createServer((request, response) => {
  const id = request.url!.slice(request.url!.lastIndexOf('/') + 1);
  pool.query({ name: 'one product', text: TEXT, values: [id] }).then(
    ({ rows }) => {
      const body = JSON.stringify(rows[0]);
      response.writeHead(rows[0] ? 200 : 404, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    },
    () => response.writeHead(500).end(),
  );
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as { port: number }).port}\n`));
