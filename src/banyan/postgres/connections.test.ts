// A server that goes away while a connection is in use is two errors on one client: the goodbye and the broken write. One that
// is cut off says nothing at all, and is given up.
import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { isOutage } from '../context/outage.ts';
import { createClient, openPool } from './connections.ts';
import { endWhenSilent } from './silence.ts';

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

/** A limit and a margin, in milliseconds. */
const short = [{ statement_timeout: 20 }, 20] as const;
const connected = async (url: string, pipeline: boolean) => {
  const client = createClient({ connectionString: url, pipeline } as object);
  await client.connect();
  endWhenSilent(client, ...short);
  return client;
};

test.each([false, true])(
  'whoever waits for a silent server hears of it, also behind others (pipeline: %s)',
  async (pipeline) => {
    const { url } = await letsIn();
    const client = await connected(url, pipeline);
    const asked = [client.query('SELECT 1'), ...(pipeline ? [client.query('SELECT 2')] : [])];
    for (const one of await Promise.allSettled(asked)) {
      expect(one.status).toBe('rejected');
      expect(isOutage((one as PromiseRejectedResult).reason)).toBe(true);
    }
    await client.end();
  },
);

test('a connection that nobody waits on may be silent, and is watched again when somebody does', async () => {
  const { url } = await letsIn();
  const client = await connected(url, false);
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  await new Promise((resolve) => stream.once('timeout', resolve));
  expect(stream.destroyed).toBe(false);
  await expect(client.query('SELECT 1')).rejects.toThrow('silent for 0.04 s');
  await client.end();
});

test('every pool and every client with a limit is watched, and probed while it is idle', async () => {
  const { url } = await letsIn();
  const bounds = { connectionString: url, statement_timeout: 2_000 };
  const [pool, client] = [openPool({ ...bounds, max: 1 }), createClient(bounds)];
  await client.connect();
  const inPool = await pool.connect();
  for (const one of [inPool, client]) {
    const { connection } = one as unknown as {
      connection: { stream: Socket; _keepAlive: boolean; _keepAliveInitialDelayMillis: number };
    };
    expect(connection).toMatchObject({ _keepAlive: true, _keepAliveInitialDelayMillis: 10_000 });
    expect(connection.stream.timeout).toBe(7_000);
  }
  inPool.release();
  await Promise.all([pool.end(), client.end()]);
});
