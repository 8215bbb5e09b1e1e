// The load, the same for every variant: autocannon, GET of a thousand orders in turn, 32 at once and as fast as it
// goes. Latency is that of a request with 31 others around it. autocannon's own histogram counts whole milliseconds
// and its fixed rate sends a second's requests at the second's begin, so every response's time is taken here instead.
import autocannon from 'autocannon';
import type { Launched } from '../../stage/launch.ts';
import { cpuOf } from './processes.ts';
import { ORDERS, orderId } from './work.ts';

const CONNECTIONS = 32;
const requests = Array.from({ length: ORDERS }, (_, n) => ({
  method: 'GET' as const,
  path: `/api/orders/${orderId(n)}`,
}));

export interface Running {
  readonly peer: string;
  readonly url: string;
  readonly processes: readonly Launched[];
}

export interface Measured {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p99: number;
  /** CPU of all processes of the peer, microseconds a request. */
  readonly cpu: number;
  /** As much of it as was spent outside of the library: our own code, and less noisy than the rest. */
  readonly user: number;
  /** CPU of the generator, of one core: near 1 it was itself the limit. */
  readonly generator: number;
}

export async function load({ peer, url, processes }: Running, seconds: number): Promise<Measured> {
  const times: number[] = [];
  const before = cpuOf(processes);
  const own = process.cpuUsage();
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon({ url, connections: CONNECTIONS, duration: seconds, requests }, (error, done) =>
      error ? reject(error) : resolve(done),
    );
    run.on('response', (_client, _status, _bytes, ms) => times.push(ms));
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${peer}: ${result.non2xx} answers were not 2xx, ${result.errors} requests failed`);
  const { user, system } = process.cpuUsage(own);
  const after = cpuOf(processes);
  const userTime = after.user - before.user;
  times.sort((a, b) => a - b);
  return {
    perSecond: times.length / result.duration,
    p99: times[Math.floor(times.length * 0.99)]!,
    cpu: (userTime + after.system - before.system) / times.length,
    user: userTime / times.length,
    generator: (user + system) / 1e6 / result.duration,
  };
}
