// Opening and closing the two ports of a host, with words for what goes wrong. A port closes in a bounded time,
// whatever is connected to it.
import type { AddressInfo, Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { freePort } from '../postgres/free-port.ts';
import type { WsDoor } from '../websocket/ws-door.ts';

/** `variable` is the one to change when the port cannot be had. */
export async function listen(
  app: FastifyInstance,
  port: number,
  host: string,
  variable: string,
): Promise<void> {
  try {
    await app.listen({ port, host, listenTextResolver: (address) => `${variable} is open at ${address}` });
  } catch (error) {
    throw inWords(error as NodeJS.ErrnoException, port, host, variable);
  }
}

/** Rejects with the same words where the port cannot be had, before anything was begun for it. */
export async function tryPort(port: number, host: string, variable: string): Promise<void> {
  try {
    await freePort(port, host);
  } catch (error) {
    throw inWords(error as NodeJS.ErrnoException, port, host, variable);
  }
}

export function inWords(error: NodeJS.ErrnoException, port: number, host: string, variable: string): Error {
  const { code } = error;
  if (code === 'EADDRINUSE')
    return new Error(
      `${variable} ${port} is in use by another program. Stop that one, or set ${variable} to a free port.`,
    );
  if (code === 'EACCES')
    return new Error(
      `${variable} ${port} may not be opened by this user. Set ${variable} to a port above 1023.`,
    );
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new Error(
      `${variable === 'ADMIN_PORT' ? 'ADMIN_HOST' : 'HOST'} ${host} is no address of this machine. Use 127.0.0.1 or 0.0.0.0.`,
    );
  return error;
}

export function portOf(app: { readonly server: Pick<Server, 'address'> }): number {
  return (app.server.address() as AddressInfo).port;
}

/** Takes nothing more, lets what is in flight finish, and cuts off what is left after `ms`. Safe to call twice. */
export async function closePort(app: FastifyInstance, ms: number, door?: WsDoor): Promise<void> {
  const [lost] = await Promise.all([app.closing.close(ms, () => app.close()), door?.drain(ms)]);
  if (lost > 0) app.log.warn({ connections: lost }, 'connections were cut off: they did not end in time');
}
