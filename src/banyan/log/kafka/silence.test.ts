// Connections to a broker that says nothing any more: real sockets, and whoever answers is the test.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { endWhenSilent } from './silence.ts';

const AFTER_MS = 40;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

async function connected(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  endWhenSilent(near, AFTER_MS);
  const [far] = (await once(server, 'connection')) as [Socket];
  closing.push(
    () => server.close(),
    () => far.destroy(),
    () => near.destroy(),
  );
  return { near, far };
}

test('what was asked and is not answered ends the connection', async () => {
  const { near } = await connected();
  near.write('a request');
  const [error] = await once(near, 'error');
  expect(error).toMatchObject({ code: 'ETIMEDOUT', message: 'The broker has been silent for 0.04 s' });
});

test('also where it was asked the moment something was heard, as who fetches does', async () => {
  const { near, far } = await connected();
  near.on('data', () => near.write('the next request'));
  near.write('a request');
  far.write('an answer');
  const [error] = await once(near, 'error');
  expect(error).toMatchObject({ code: 'ETIMEDOUT' });
});

test('one that is idle stays, and is watched again when something is asked', async () => {
  const { near, far } = await connected();
  near.write('a request');
  far.write('an answer');
  await once(near, 'data');
  await new Promise((resolve) => near.setTimeout(3 * AFTER_MS).once('timeout', resolve));
  expect(near.destroyed).toBe(false);
  near.write('a request');
  await once(near, 'error');
});
