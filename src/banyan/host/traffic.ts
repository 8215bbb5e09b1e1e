// Bytes on the internal port, both ways, as a metric: what it costs to be several processes. Proxied requests, calls
// between modules, following the placement; each connection has its server's end at exactly one such port.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Metrics } from '../telemetry/metrics.ts';

export function measureTraffic(metrics: Metrics, server: Server): void {
  const open = new Set<Socket>();
  const closed = { in: 0, out: 0 };
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      closed.in += socket.bytesRead;
      closed.out += socket.bytesWritten;
    });
  });
  metrics.total('banyan_internal_bytes_total', 'Bytes on the internal port', ['direction'], () => {
    const sum = { ...closed };
    for (const { bytesRead, bytesWritten } of open) {
      sum.in += bytesRead;
      sum.out += bytesWritten;
    }
    return [
      { labels: { direction: 'in' }, value: sum.in },
      { labels: { direction: 'out' }, value: sum.out },
    ];
  });
}
