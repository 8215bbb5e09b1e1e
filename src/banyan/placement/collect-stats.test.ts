// All hosts asked at once: those that answer, and those that do not, or with something else.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { EDGES } from '../telemetry/edges.ts';
import { Stats } from '../telemetry/stats.ts';
import { collectStats } from './collect-stats.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function host(id: string, answers: RequestListener) {
  const server = createServer(answers).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    host: `uuid of ${id}`,
    id,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    kid: 'k',
  };
}

const tokens = { mint: (audience: string) => `for ${audience}` };

function reportOf(more: object = {}) {
  const stats = new Stats();
  stats.of('depots', 'service', 'nearest').note(3, true);
  const now = new Date().toISOString();
  return { host: 'x', since: stats.since, now, edges: EDGES, modules: stats.read(), ...more };
}

it('has what each counted, and names who gave no answer', async () => {
  const asked: unknown[] = [];
  const says =
    (answer: unknown, status = 200): RequestListener =>
    (request, response) => {
      asked.push([request.url, request.headers.authorization]);
      response.writeHead(status).end(JSON.stringify(answer));
    };
  const hosts = await Promise.all([
    host('monolith', says(reportOf())),
    host('orders-1', says({}, 404)),
    host('orders-2', says(reportOf({ modules: { depots: { service: { nearest: { count: -1 } } } } }))),
    host('orders-3', says(reportOf({ edges: EDGES.map((edge) => edge * 2) }))),
    host('orders-4', says('x'.repeat(5_000_000))),
    host('orders-5', () => {}),
  ]);
  const gone = { host: 'gone', id: 'orders-6', url: 'http://127.0.0.1:1', kid: 'k' };
  const found = await collectStats([...hosts, gone], tokens, 3_000);
  expect(asked).toContainEqual(['/stats', 'Bearer for monolith']);
  expect(asked).toContainEqual(['/stats', 'Bearer for orders']);
  expect(found.hosts).toMatchObject([
    { host: 'uuid of monolith', id: 'monolith', modules: { depots: { service: { nearest: { bad: 1 } } } } },
  ]);
  expect(found.silent.map(({ id, reason }) => `${id} ${reason}`)).toEqual([
    'orders-1 it answered 404 to GET /stats',
    expect.stringMatching(/^orders-2 what it answered is no report: .*nearest/),
    'orders-3 its buckets have other edges',
    expect.stringMatching(/^orders-4 its answer is longer/),
    'orders-5 no answer within 3000 ms',
    expect.stringMatching(/^orders-6 .*ECONNREFUSED/),
  ]);
});
