// Connections of a port: how many there may be of one address and in all, what those hear who come on top, and that
// whoever leaves makes room; a reader that stands still is cut off, one that is slow is not.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { networksOf } from '../limits/networks.ts';
import type { MetricSample, Metrics } from '../telemetry/metrics.ts';
import { capConnections, endStalledReaders } from './connections.ts';
import { noteConnections } from './open-connections.ts';

let server: Server;
const clients = new Set<Socket>();
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients.clear();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function listen(answer: RequestListener): Promise<number> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

interface Client {
  readonly socket: Socket;
  /** Its other end. */
  readonly there: Socket;
  /** All that has come so far. */
  text(): string;
}

async function open(port: number): Promise<Client> {
  const accepted = once(server, 'connection');
  const socket = connect(port, '127.0.0.1');
  clients.add(socket);
  socket.on('error', () => {});
  const [there] = await accepted;
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  return { socket, there, text: () => text };
}

describe('a most of connections', () => {
  const ADA = '192.0.2.1';
  const BOB = '192.0.2.2';
  const CLEO = '192.0.2.3';
  const OURS = '198.51.100.7';

  /** Whoever comes next has this address: a machine has only so many of its own to come from. */
  let from: string;
  let port: number;
  let gauges: Map<string, () => Promise<MetricSample[]> | MetricSample[]>;
  let warned: object[];

  const start = async (caps: { total: number; perAddress: number }) => {
    gauges = new Map();
    warned = [];
    port = await listen((_request, response) => response.end('served'));
    server.on('connection', (socket) => {
      const address = from;
      Object.defineProperty(socket, 'remoteAddress', { get: () => address });
    });
    const read = (name: string, _help: string, _labels: unknown, look: () => MetricSample[]) =>
      void gauges.set(name, look);
    capConnections(server, {
      ...caps,
      exempt: networksOf([OURS]),
      log: { warn: (fields: object) => void warned.push(fields) },
      metrics: { gauge: read, total: read } as unknown as Metrics,
    });
  };

  const comeFrom = (address: string) => {
    from = address;
    return open(port);
  };
  const isServed = async ({ socket, text }: Client) => {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await expect.poll(text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*served/);
  };
  /** It may have sent its request already: it hears one answer, and the connection ends. */
  const isRefused = async ({ socket, text }: Client, detail: string) => {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    if (!socket.closed) await once(socket, 'close');
    expect(text().match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text()).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\nConnection: close\r\n/);
    expect(text()).toContain('\r\nRetry-After: 5\r\n');
    expect(JSON.parse(text().split('\r\n\r\n')[1]!)).toMatchObject({ code: 'unavailable', detail });
  };
  const leave = async ({ socket, there }: Client) => {
    socket.destroy();
    if (!there.closed) await once(there, 'close');
  };
  const openNow = () => (gauges.get('banyan_connections')!() as MetricSample[])[0]!.value;
  const refused = () =>
    (gauges.get('banyan_connections_refused_total')!() as MetricSample[]).map(
      ({ labels, value }) => `${labels.reason} ${value}`,
    );

  it('of one address: more are told 503 and ended, others are served, a place that is left is given again', async () => {
    await start({ total: 10, perAddress: 2 });
    const [first, second] = [await comeFrom(ADA), await comeFrom(ADA)];
    for (let n = 0; n < 3; n += 1)
      await isRefused(await comeFrom(ADA), 'Your address has too many connections open.');
    await isServed(await comeFrom(BOB));
    await isServed(first);
    await isServed(second);
    // Who was refused holds no place.
    await expect.poll(openNow).toBe(3);
    await leave(first);
    await isServed(await comeFrom(ADA));
    await isRefused(await comeFrom(ADA), 'Your address has too many connections open.');
    expect(refused()).toEqual(['total 0', 'address 4']);
    // Said once a minute, however often it happens.
    expect(warned).toEqual([{ open: 3, address: ADA, ofAddress: 3 }]);
  });

  it('in all: whoever comes on top, until somebody leaves', async () => {
    await start({ total: 2, perAddress: 2 });
    const first = await comeFrom(ADA);
    await isServed(await comeFrom(BOB));
    await isRefused(await comeFrom(CLEO), 'This host has too many connections open.');
    await isServed(first);
    await leave(first);
    await isServed(await comeFrom(CLEO));
    await isRefused(await comeFrom(ADA), 'This host has too many connections open.');
    expect(refused()).toEqual(['total 2', 'address 0']);
  });

  it('is none for an exempt address, which is counted all the same', async () => {
    await start({ total: 3, perAddress: 1 });
    for (let n = 0; n < 4; n += 1) await isServed(await comeFrom(OURS));
    expect([openNow(), refused()]).toEqual([4, ['total 0', 'address 0']]);
    await isRefused(await comeFrom(ADA), 'This host has too many connections open.');
  });

  it('counts what Node drops before anybody is told', async () => {
    await start({ total: 3, perAddress: 1 });
    expect(server.maxConnections).toBe(1003);
    server.emit('drop', { remoteAddress: ADA });
    expect([refused(), warned]).toEqual([
      ['total 1', 'address 0'],
      [{ open: 0, address: ADA, ofAddress: undefined }],
    ]);
  });
});

describe('a reader', () => {
  /** More than the kernels of both sides hold for a connection. */
  const LENGTH = 32 * 1024 * 1024;
  const ASK = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';
  const large: RequestListener = (_request, response) => response.end(Buffer.alloc(LENGTH, 'a'));

  it('that takes nothing is cut off', async () => {
    const port = await listen(large);
    endStalledReaders(server, noteConnections(server), 300);
    const { socket, there, text } = await open(port);
    socket.pause();
    socket.write(ASK);
    await once(there, 'close');
    // What is left of the answer never comes.
    socket.resume();
    await once(socket, 'close');
    expect(text().length).toBeLessThan(LENGTH);
  });

  it('that takes a little all the time gets all of it', async () => {
    const port = await listen((_request, response) => response.end(Buffer.alloc(2 * LENGTH, 'a')));
    const stalledMs = 1500;
    endStalledReaders(server, noteConnections(server), stalledMs);
    const { socket, there, text } = await open(port);
    const began = performance.now();
    let wasUnderWay = false;
    let pieces = 0;
    // Slowness is what this is about: some 600 kB every 100 ms, for the time of three that stand still. Not slower: the
    // system tells of room in its buffer of 4 MB only once a third of it is free, so Node hears of it in leaps.
    socket.on('data', () => {
      pieces += 1;
      if (pieces % 10 > 0 || performance.now() - began > 3 * stalledMs) return;
      wasUnderWay = !there.writableFinished;
      socket.pause();
      setTimeout(() => socket.resume(), 100);
    });
    socket.write(ASK);
    await once(socket, 'close');
    expect(performance.now() - began).toBeGreaterThan(3 * stalledMs);
    expect(wasUnderWay).toBe(true);
    expect(text().length).toBeGreaterThan(2 * LENGTH);
  });

  it('that waits for a handler at work is left alone', async () => {
    const port = await listen((_request, response) => {
      server.once('timeout', (socket: Socket) => {
        // The ring is over, and the time-out with it: nothing waits for this reader.
        queueMicrotask(() => response.end(`late ${socket.timeout}`));
      });
    });
    endStalledReaders(server, noteConnections(server), 100);
    const { socket, text } = await open(port);
    socket.write(ASK);
    await once(socket, 'close');
    expect(text()).toMatch(/^HTTP\/1\.1 200 [\s\S]*late 0/);
  });

  it('that stands still in its second answer is cut off as in its first', async () => {
    const port = await listen(({ url }, response) =>
      response.end(url === '/' ? 'small' : Buffer.alloc(LENGTH)),
    );
    endStalledReaders(server, noteConnections(server), 300);
    const { socket, there, text } = await open(port);
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await expect.poll(text).toMatch(/small/);
    socket.pause();
    socket.write('GET /large HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(there, 'close');
  });

  it('that asks for nothing is cut off', async () => {
    const port = await listen(large);
    endStalledReaders(server, noteConnections(server), 100);
    const { there } = await open(port);
    await once(there, 'close');
  });
});
