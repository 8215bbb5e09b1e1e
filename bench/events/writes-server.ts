// Endpoints that write one row, and the same endpoints that write the row and its event in one statement: as the
// routes of a module (its contract, checks, trace and metrics), and as bare Fastify, which is the least there can be.
// `node writes-server.ts <database url>`; tells its parent its port, and its CPU when asked.
import Fastify from 'fastify';
import { Pool } from 'pg';
import { pino } from 'pino';
import { createDispatcher } from '../../src/banyan/calls/dispatcher.ts';
import { anonymous } from '../../src/banyan/context/principal.ts';
import { closed, defineContract, type OperationSpec, operation } from '../../src/banyan/contract/contract.ts';
import { Type } from '../../src/banyan/contract/type.ts';
import { eventArguments } from '../../src/banyan/events/publisher.ts';
import { shop, urlOf } from '../../src/banyan/events/testing/shop.ts';
import { contractRoutes } from '../../src/banyan/http/routes.ts';
import { createServer } from '../../src/banyan/http/server.ts';
import { createMetrics } from '../../src/banyan/telemetry/metrics.ts';
import { noTracing } from '../../src/banyan/telemetry/tracing.ts';

interface Sale {
  readonly orderId: string;
  readonly n: number;
  readonly pad: string;
}

const pool = new Pool({ connectionString: urlOf(process.argv[2]!, 'banyan_shop'), max: 5 });
let next = 0;
/** Of a thousand keys; each row is new. */
const sale = (pad: string): Sale => {
  next += 1;
  return { orderId: `key-${next % 1_000}`, n: next, pad };
};

const writes = {
  async without({ orderId, n }: Sale) {
    await pool.query({
      name: 'without',
      text: 'INSERT INTO shop.sale (key, n) VALUES ($1, $2)',
      values: [orderId, n],
    });
  },
  // The insert reads from the function that publishes: no row comes back that nobody looks at.
  async with(data: Sale) {
    await pool.query({
      name: 'with',
      text: `INSERT INTO shop.sale (key, n)
        SELECT $9, $10::bigint FROM shop.emit_event($1::uuid, $2, $3, $4, $5::json, $6, $7, $8)`,
      values: [...eventArguments(shop.events.sold, data), data.orderId, data.n],
    });
  },
};

const bare = Fastify();
const spec = (path: string): OperationSpec =>
  operation({
    summary: 'Sells',
    access: 'public',
    input: closed({ pad: Type.String({ minLength: 1, maxLength: 1_000 }) }),
    output: closed({ n: Type.Integer() }),
    http: { method: 'POST', path },
    idempotent: false,
  });
const names = ['without', 'with'] as const;
const contract = defineContract('shop', {
  summary: 'Sells',
  operations: { without: spec('/api/without'), with: spec('/api/with') },
});
const handler = (name: (typeof names)[number]) => async (input: unknown) => {
  const data = sale((input as { pad: string }).pad);
  await writes[name](data);
  return { n: data.n };
};
const dispatcher = createDispatcher(
  contract,
  { without: handler('without'), with: handler('with') },
  { codec: false },
);
const module = createServer({
  hostId: 'bench',
  log: pino({ level: 'silent' }),
  metrics: createMetrics('bench'),
  tracing: noTracing,
  stalledMs: 20_000,
  routes: () => [],
});
await module.register((scope) => contractRoutes(scope, { dispatcher, principalOf: () => anonymous }));
for (const name of names) {
  bare.post(`/${name}`, async () => {
    const data = sale('x'.repeat(100));
    await writes[name](data);
    return { n: data.n };
  });
}

const ports: Record<string, number> = {};
for (const [kind, app] of Object.entries({ bare, module })) {
  await app.listen({ port: 0, host: '127.0.0.1' });
  ports[kind] = (app.server.address() as { port: number }).port;
}
process.on('message', () => process.send!({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit());
process.send!(ports);
