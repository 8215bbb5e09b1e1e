// The only finder of free ports: of any, of several at once, of one that is named. Guarantees: several at once differ,
// since each is held until the last one is known; all are free again when the answer is there. From then on anybody
// may take one: who opens it later has to be ready for that. It must not know what a port is for.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Any on loopback, or `wanted`; rejects with the system's error where it cannot be had. */
export async function freePort(wanted = 0, host = '127.0.0.1'): Promise<number> {
  const [port] = await opened([wanted], host);
  return port!;
}

/** On loopback, all different. */
export function freePorts(count: number): Promise<number[]> {
  return opened(new Array<number>(count).fill(0), '127.0.0.1');
}

async function opened(ports: readonly number[], host: string): Promise<number[]> {
  const servers = ports.map((port) => ({ port, server: createServer() }));
  try {
    for (const { port, server } of servers) {
      server.listen({ port, host });
      await once(server, 'listening');
    }
    return servers.map(({ server }) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  }
}
