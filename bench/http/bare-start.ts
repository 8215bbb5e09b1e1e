// What starting can cost at least: an embedded server, one Prisma client, one Fastify route. Prints its port.
import { PrismaPg } from '@prisma/adapter-pg';
import fastify from 'fastify';
import pg from 'pg';
import { pino } from 'pino';
import { PrismaClient } from '../../prisma/catalog/client/client.ts';
import { openEmbedded } from '../../src/banyan/postgres/embedded.ts';

const [dataDir] = process.argv.slice(2);
const server = await openEmbedded({ dataDir: dataDir!, log: pino({ level: 'warn' }) });
const pool = new pg.Pool({ connectionString: server.url, max: 5 });
pool.on('error', () => undefined);
const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { schema: 'catalog' }) });
const app = fastify();
app.get('/health/ready', async () => prisma.$queryRawUnsafe('SELECT 1 AS one'));
await app.listen({ port: 0, host: '127.0.0.1' });
await app.inject('/health/ready');
process.stdout.write(`${(app.server.address() as { port: number }).port}\n`);
process.on('SIGTERM', async () => {
  await app.close();
  await prisma.$disconnect();
  await server.stop();
  process.exit(0);
});
