// The called side of one variant, in a process of its own: `node far-server.ts <variant>`. Prints its port.
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import Fastify from 'fastify';
import { WebSocketServer } from 'ws';
import { createDispatcher } from '../../src/banyan/calls/dispatcher.ts';
import { rightsOf, tokensOf } from '../../src/banyan/identity/known-hosts.fixture.ts';
import { attachWsDoor } from '../../src/banyan/websocket/ws-door.ts';
import { INTERNAL_KEY, price, shelf } from './subject.ts';

const say = (port: number) => process.stdout.write(`${port}\n`);

function listen(server: Server): void {
  server.listen(0, '127.0.0.1', () => say((server.address() as AddressInfo).port));
}

const variants: Record<string, () => void | Promise<void>> = {
  'tcp echo': () => {
    listen(createTcpServer({ noDelay: true }, (socket) => socket.on('data', (data) => socket.write(data))));
  },
  'bare ws': () => {
    const server = createHttpServer();
    new WebSocketServer({ server }).on('connection', (ws) => {
      ws.on('message', async (data) => {
        const { id, params } = JSON.parse(String(data));
        ws.send(JSON.stringify({ id, result: await price(params) }));
      });
    });
    listen(server);
  },
  banyan: () => {
    const server = createHttpServer();
    const tokens = tokensOf(INTERNAL_KEY, 'shelf');
    attachWsDoor({
      server,
      verify: (token) => tokens.verify(token, 'shelf'),
      rights: rightsOf(INTERNAL_KEY),
      dispatchers: new Map([['shelf', createDispatcher(shelf, { price: price as never }, { codec: false })]]),
      log: { error: console.error, warn: console.warn } as never,
    });
    listen(server);
  },
  'undici to fastify': async () => {
    const app = Fastify();
    app.post('/calls/shelf/price', (request) => price(request.body as never));
    await app.listen({ port: 0, host: '127.0.0.1' });
    say((app.server.address() as AddressInfo).port);
  },
  'moleculer tcp': async () => {
    const name = 'moleculer';
    const { ServiceBroker } = await import(name);
    const broker = new ServiceBroker({
      nodeID: 'server',
      logger: false,
      transporter: { type: 'TCP', options: { udpDiscovery: false, port: 0, urls: [] } },
    });
    broker.createService({
      name: 'shelf',
      actions: { price: (context: { params: never }) => price(context.params) },
    });
    await broker.start();
    say(broker.transit.tx.reader.server.address().port);
  },
};

await variants[process.argv[2]!]!();
process.on('disconnect', () => process.exit(0));
