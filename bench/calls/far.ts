// The calling side of one variant of a call between two processes: `node far.ts <variant> <port> <server pid>`.
// Prints microseconds of one call at a time, calls per second of 64 at once, and CPU microseconds per call of
// either process.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Pool } from 'undici';
import WebSocket from 'ws';
import { createRef } from '../../src/banyan/calls/ref.ts';
import { createRemote } from '../../src/banyan/calls/remote.ts';
import { tokensOf } from '../../src/banyan/identity/known-hosts.fixture.ts';
import type { Placements, Snapshot } from '../../src/banyan/routing/snapshot.ts';
import { INPUT, INTERNAL_KEY, shelf } from './subject.ts';

const ONE_BY_ONE = 10_000;
const AT_ONCE = 64;
const MANY = 100_000;

type Ask = (input: typeof INPUT) => Promise<unknown>;

const variants: Record<string, (port: number) => Ask | Promise<Ask>> = {
  // Bytes there and back, as many as a call of Banyan has; what no protocol can beat.
  'tcp echo': async (port) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const bytes = Buffer.alloc(220, 'x');
    const waiting: (() => void)[] = [];
    let received = 0;
    socket.on('data', (data) => {
      for (received += data.length; received >= bytes.length; received -= bytes.length) waiting.shift()!();
    });
    return () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        socket.write(bytes);
      });
  },
  'bare ws': async (port) => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
    await once(ws, 'open');
    const waiting = new Map<number, (result: unknown) => void>();
    let last = 0;
    ws.on('message', (data) => {
      const { id, result } = JSON.parse(String(data));
      waiting.get(id)!(result);
      waiting.delete(id);
    });
    return (params) =>
      new Promise((resolve) => {
        last += 1;
        waiting.set(last, resolve);
        ws.send(JSON.stringify({ id: last, params }));
      });
  },
  banyan: (port) => {
    const shelfAt = {
      id: 'shelf-1',
      host: 'shelf',
      url: `http://127.0.0.1:${port}`,
      pid: 1,
      doors: ['ws'],
      healthy: true,
    };
    const current = {
      version: 1,
      modules: { shelf: { module: 'shelf', placement: 'service', instances: [shelfAt] } },
      monoliths: [],
      revoked: {},
    } as unknown as Snapshot;
    const placements: Placements = {
      current,
      subscribe: () => () => undefined,
      refresh: async () => current,
    };
    const tokens = tokensOf(INTERNAL_KEY, 'monolith');
    const remote = createRemote({ placements, tokens, log: console as never });
    return createRef(shelf, { caller: 'orders', local: undefined, remote, placements, strict: false })
      .price as Ask;
  },
  'undici to fastify': (port) => {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: AT_ONCE });
    return async (input) => {
      const { body } = await pool.request({
        method: 'POST',
        path: '/calls/shelf/price',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(input),
      });
      return body.json();
    };
  },
  'moleculer tcp': async (port) => {
    const name = 'moleculer';
    const { ServiceBroker } = await import(name);
    const broker = new ServiceBroker({
      nodeID: 'client',
      logger: false,
      transporter: {
        type: 'TCP',
        options: { udpDiscovery: false, urls: [`tcp://127.0.0.1:${port}/server`] },
      },
    });
    await broker.start();
    await broker.waitForServices('shelf');
    return (input) => broker.call('shelf.price', input);
  },
};

/** CPU of another process so far, in microseconds (Linux: utime and stime in ticks of 10 ms). */
function cpuOf(pid: number): number {
  const [, after] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = after!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function oneByOne(ask: Ask): Promise<number[]> {
  const micros: number[] = [];
  for (let i = 0; i < ONE_BY_ONE; i += 1) {
    const start = performance.now();
    await ask(INPUT);
    micros.push((performance.now() - start) * 1000);
  }
  return micros.sort((a, b) => a - b);
}

async function atOnce(ask: Ask, calls: number): Promise<void> {
  let left = calls;
  const worker = async () => {
    for (; left > 0; ) {
      left -= 1;
      await ask(INPUT);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const [variant, port, pid] = process.argv.slice(2) as [string, string, string];
const ask = await variants[variant]!(Number(port));
await oneByOne(ask);
const micros = await oneByOne(ask);
await atOnce(ask, MANY / 5);
const serverBefore = cpuOf(Number(pid));
const cpuBefore = process.cpuUsage();
const start = performance.now();
await atOnce(ask, MANY);
const seconds = (performance.now() - start) / 1000;
const cpu = process.cpuUsage(cpuBefore);
process.stdout.write(
  JSON.stringify({
    p50: micros[Math.floor(micros.length * 0.5)],
    p99: micros[Math.floor(micros.length * 0.99)],
    perSecond: MANY / seconds,
    clientCpu: (cpu.user + cpu.system) / MANY,
    serverCpu: (cpuOf(Number(pid)) - serverBefore) / MANY,
  }),
);
process.exit(0);
