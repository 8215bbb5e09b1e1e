// The limit for the gateway: @fastify/http-proxy alone before the same service. Prints its port.
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { tokensAs } from '../../stage/ring.ts';

const [upstream, databaseUrl, rootKey] = process.argv.slice(2) as [string, string, string];
const tokens = await tokensAs({ databaseUrl, rootKey }, 'monolith');
const token = await tokens.mint('catalog');
const app = fastify();
await app.register(httpProxy, {
  prefix: '/api/catalog',
  rewritePrefix: '/api/catalog',
  upstream: upstream!,
  // The connections that the gateway has, too: their number, one request at a time on each, kept as long.
  undici: { connections: 128, pipelining: 1, keepAliveTimeout: 30_000 },
  replyOptions: { rewriteRequestHeaders: (_request, headers) => ({ ...headers, 'x-internal-token': token }) },
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${(app.server.address() as { port: number }).port}\n`);
process.on('SIGTERM', () => process.exit(0));
