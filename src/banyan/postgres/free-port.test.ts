import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, freePorts } from './free-port.ts';

test('several at once are different, and free', async () => {
  const ports = await freePorts(50);
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) expect(await freePort(port)).toBe(port);
});

test('one that is taken is refused with the system’s error', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(freePort(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  server.close();
  await once(server, 'close');
  expect(await freePort(port)).toBe(port);
});

test('an address that is none of this machine is refused', async () => {
  await expect(freePort(0, '192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
});
