// The port of /admin, where it has one: more connections for the server of the public port, which knows them apart
// (gateway/admin-apart.ts). By default it is on loopback: who may reach it is then said by who may use this machine.
import { createServer, type Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { AdminSockets } from '../gateway/admin-apart.ts';
import { inWords, portOf } from './ports.ts';

export interface AdminPort {
  readonly sockets: AdminSockets;
  /** Its connections end with those of the public port. To be said before that one is opened. */
  closeWith(app: FastifyInstance): void;
  /** Rejects in words where the port cannot be had. */
  open(app: FastifyInstance): Promise<void>;
  /** The base URL, once it is open. */
  url(): string;
}

export function createAdminPort(port: number, host: string): AdminPort {
  const sockets = new WeakSet<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true });
  return {
    sockets,
    url: () => `http://${host.includes(':') ? `[${host}]` : host}:${portOf({ server })}`,
    closeWith(app) {
      let closed: Promise<unknown> = Promise.resolve();
      app.addHook('preClose', async () => {
        closed = new Promise((resolve) => server.close(resolve));
      });
      app.addHook('onClose', async () => {
        await closed;
      });
    },
    async open(app) {
      server.on('connection', (socket) => {
        sockets.add(socket);
        app.server.emit('connection', socket);
      });
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error) => reject(inWords(error, port, host, 'ADMIN_PORT')));
        server.listen({ port, host }, resolve);
      });
    },
  };
}
