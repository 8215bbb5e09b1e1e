// A server that goes away while a connection is in use is two errors on one client: the goodbye and the broken write.
import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createClient, openPool } from './connections.ts';

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

/** Says what PostgreSQL says to somebody it lets in, then hands the socket to the test. */
async function letsIn(): Promise<{ url: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const message = (type: string, body: Buffer) => {
    const head = Buffer.alloc(5);
    head.write(type);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () =>
      socket.write(Buffer.concat([message('R', Buffer.from([0, 0, 0, 0])), message('Z', Buffer.from('I'))])),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  const { port } = server.address() as { port: number };
  return { url: `postgres://somebody@127.0.0.1:${port}/any`, sockets };
}

/** What reaches the process when nobody listens. */
const broken = () => Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });

test('a connection of a pool that is in use may break more than once', async () => {
  const { url } = await letsIn();
  const pool = openPool({ connectionString: url, max: 1 });
  const client = await pool.connect();
  // An emitter without a listener throws here.
  client.emit('error', broken());
  client.emit('error', broken());
  client.release(true);
  await pool.end();
});

test('whoever uses it learns of the loss by the statement', async () => {
  const { url, sockets } = await letsIn();
  const pool = openPool({ connectionString: url, max: 1 });
  const asked = pool.query('SELECT 1');
  const refused = expect(asked).rejects.toThrow(/terminated|ECONNRESET/);
  while (sockets.length === 0) await new Promise(setImmediate);
  sockets[0]!.once('data', () => setImmediate(() => sockets[0]!.resetAndDestroy()));
  await refused;
  await pool.end();
});

test('a loss of an idle one is told', async () => {
  const { url, sockets } = await letsIn();
  const lost = Promise.withResolvers<Error>();
  const pool = openPool({ connectionString: url, max: 1 }, lost.resolve);
  (await pool.connect()).release();
  sockets[0]!.destroy();
  expect((await lost.promise).message).toMatch(/terminated/);
  await pool.end();
});

test('a client alone may break more than once', async () => {
  const { url } = await letsIn();
  const client = createClient({ connectionString: url });
  await client.connect();
  client.emit('error', broken());
  client.emit('error', broken());
  await client.end();
});
