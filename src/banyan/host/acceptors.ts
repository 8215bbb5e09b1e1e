// Several listeners on the public port, all of them for one HTTP server. libuv takes in one connection per listener and
// turn of the event loop: with turns of 30 ms, one listener lets in 33 a second, the rest wait in the kernel, then are
// dropped and tried again after 1, 3 and 7 s, and a probe of a host that works well is answered after 9. Where the system
// cannot share a port (SO_REUSEPORT: Linux and BSD can) there is one listener, as ever.
import { createServer, type Server, type Socket } from 'node:net';
import type { FastifyInstance, FastifyListenOptions } from 'fastify';
import { listen, portOf, tryPort } from './ports.ts';

const MORE = 15;

export async function listenWidely(
  app: FastifyInstance,
  port: number,
  host: string,
  variable: string,
): Promise<void> {
  // Two hosts must not share a port: whoever comes second cannot have it alone, and fails here.
  if (port !== 0) await tryPort(port, host, variable);
  const more: Server[] = [];
  closeWith(app, more);
  const first: FastifyListenOptions & { reusePort: boolean } = {
    port,
    host,
    reusePort: true,
    listenTextResolver: (at) => `${variable} is open at ${at}`,
  };
  try {
    await app.listen(first);
  } catch {
    await listen(app, port, host, variable);
    return;
  }
  const options = { port: portOf(app), host, reusePort: true };
  for (let n = 0; n < MORE; n += 1) {
    // As an HTTP server's own listener has them.
    const one = createServer({ allowHalfOpen: true, noDelay: true });
    one.on('connection', (socket: Socket) => app.server.emit('connection', socket));
    try {
      await opened(one, options);
    } catch {
      return;
    }
    more.push(one);
  }
}

function opened(server: Server, options: { port: number; host: string; reusePort: boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, resolve);
  });
}

/** Their connections end with all others (banyan/http/closing.ts), though each is counted by the listener that took it in. */
function closeWith(app: FastifyInstance, more: readonly Server[]): void {
  let closed: Promise<unknown> = Promise.resolve();
  app.addHook('preClose', async () => {
    closed = Promise.all(more.map((one) => new Promise((resolve) => one.close(resolve))));
  });
  app.addHook('onClose', async () => {
    await closed;
  });
}
