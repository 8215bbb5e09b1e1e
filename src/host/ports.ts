// Opening and closing the two ports of a host, with words for what goes wrong.
import { type AddressInfo, createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { WsDoor } from '../kernel/calls/ws-door.ts';

/** How long what is in flight may take before a closing port cuts it off, in milliseconds. */
export const DRAIN_MS = 20_000;

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
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host }, resolve);
    });
  } catch (error) {
    throw inWords(error as NodeJS.ErrnoException, port, host, variable);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

function inWords(error: NodeJS.ErrnoException, port: number, host: string, variable: string): Error {
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
    return new Error(`HOST ${host} is no address of this machine. Use 127.0.0.1 or 0.0.0.0.`);
  return error;
}

export function portOf(app: FastifyInstance): number {
  return (app.server.address() as AddressInfo).port;
}

export async function closePort(app: FastifyInstance, door: WsDoor): Promise<void> {
  await door.drain(DRAIN_MS);
  await within(DRAIN_MS, app.close());
  await door.close();
}

/** Waits for the work, but no longer. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
