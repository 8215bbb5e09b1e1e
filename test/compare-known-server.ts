// A server whose latencies are known: answers after `?after=N` milliseconds, counts the polls of /thing/N, and
// stands still for a whole second when it is told to. Says its port, and later when it stood still, to its parent.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const now = () => Number(process.hrtime.bigint()) / 1e6;
const asked = new Map<string, number>();

const server = createServer((request, response) => {
  const url = new URL(request.url!, 'http://server');
  if (url.pathname === '/stall') {
    const from = now();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    process.send!({ stalled: { from, until: now() } });
    response.end();
  } else if (url.pathname === '/fails') {
    response.writeHead(503).end();
  } else if (url.pathname.startsWith('/thing/')) {
    const times = (asked.get(url.pathname) ?? 0) + 1;
    asked.set(url.pathname, times);
    response.end(JSON.stringify({ id: 'x y', status: times < 3 ? 'placed' : 'confirmed' }));
  } else if (request.method === 'POST') {
    request
      .resume()
      .on('end', () => response.writeHead(202).end(JSON.stringify({ id: url.searchParams.get('id') })));
  } else setTimeout(() => response.end('{}'), Number(url.searchParams.get('after') ?? 0));
});
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
