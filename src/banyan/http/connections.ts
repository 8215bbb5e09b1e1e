// Connections of a port: a reader that takes nothing is cut off, and there is a most of them, in all and per address.
// Guarantees: a socket whose answer stands still for `stalledMs` is destroyed, whatever the client's side of it does; one
// whose handler is still at work is not. Over the cap a connection is told 503 and ended; this machine itself is let in,
// so that probes see a host that is full.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { libraryProblem } from '../contract/problem.ts';
import type { Networks } from '../limits/networks.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { latestAnswerOn } from './open-connections.ts';
import { refuse } from './refuse.ts';

/**
 * Node's time-out of a socket starts anew with every byte either way, those that its kernel took from a long write
 * included. What to do when it rings is for us to say. It is set where nothing was asked yet, and where an answer is
 * found not to have gone out: set for each request (`server.timeout`) it would cost each of them two timers.
 */
export function endStalledReaders(server: Server, connections: ReadonlySet<Duplex>, stalledMs: number): void {
  server.on('connection', (socket: Socket) => socket.setTimeout(stalledMs));
  const looks = setInterval(() => {
    for (const socket of connections as ReadonlySet<Socket>)
      if (socket.writableLength > 0 && !socket.timeout) socket.setTimeout(stalledMs);
  }, stalledMs / 4).unref();
  server.once('close', () => clearInterval(looks));
  server.on('timeout', (socket: Socket) => {
    const answer = latestAnswerOn(socket);
    const works = answer !== undefined && !answer.writableFinished && socket.writableLength === 0;
    // Its handler is at work, or its body is on the way, which has a time-out of its own.
    if (works) socket.setTimeout(0);
    else socket.destroy();
  });
}

export interface ConnectionCaps {
  readonly total: number;
  readonly perAddress: number;
  /** Counted, but never refused. */
  readonly exempt: Networks;
  readonly log: Pick<Logger, 'warn'>;
  readonly metrics: Metrics;
}

const LOG_EVERY_MS = 60_000;

export function capConnections(server: Server, caps: ConnectionCaps): void {
  const { total, perAddress, exempt, log, metrics } = caps;
  const byAddress = new Map<string, number>();
  const refused = { total: 0, address: 0 };
  let open = 0;
  let logged = Number.NEGATIVE_INFINITY;
  const tell = (reason: keyof typeof refused, address: string) => {
    refused[reason] += 1;
    if (performance.now() - logged < LOG_EVERY_MS) return;
    logged = performance.now();
    log.warn(
      { open, address, ofAddress: byAddress.get(address) },
      'too many connections: refusing more of them',
    );
  };
  // The last limit: Node drops what comes beyond it without an answer.
  server.maxConnections = total + 1000;
  server.on('drop', (data) => tell('total', data?.remoteAddress ?? 'unknown'));
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const here = (byAddress.get(address) ?? 0) + 1;
    open += 1;
    byAddress.set(address, here);
    socket.once('close', () => {
      open -= 1;
      const left = byAddress.get(address)! - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    });
    const reason = open > total ? 'total' : here > perAddress ? 'address' : undefined;
    if (!reason || exempt.has(address)) return;
    tell(reason, address);
    const detail = reason === 'total' ? 'This host has' : 'Your address has';
    refuse(
      socket,
      libraryProblem('unavailable', { detail: `${detail} too many connections open.`, retryAfter: 5 }),
    );
  });
  metrics.gauge('banyan_connections', 'Open connections of the public port', [], () => [
    { labels: {}, value: open },
  ]);
  metrics.total(
    'banyan_connections_refused_total',
    'Connections refused because there were too many',
    ['reason'],
    () => Object.entries(refused).map(([reason, value]) => ({ labels: { reason }, value })),
  );
}
