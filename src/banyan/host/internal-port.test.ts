// The internal port on its own: what it writes down of whom it does not let in, and whom it tells what was counted.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { ABOUT_PATH, type About, readAbout } from '../doctor/about.ts';
import { rightsOf, tokensOf } from '../identity/known-hosts.fixture.ts';
import { EDGES } from '../telemetry/edges.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { SecurityEvent } from '../telemetry/security-log.ts';
import { noTracing } from '../telemetry/tracing.ts';
import { createInternalPort } from './internal-port.ts';

const tokens = tokensOf('a text of some length', 'monolith');

function portOf(
  write: (event: SecurityEvent) => void = () => {},
  metrics = createMetrics('monolith'),
  about?: () => Promise<About>,
) {
  return createInternalPort({
    hostId: 'monolith',
    log: pino({ level: 'silent' }),
    metrics,
    tracing: noTracing,
    security: { write },
    dispatchers: new Map(),
    tokens,
    rights: rightsOf('a text of some length'),
    audience: 'monolith',
    verifyBearer: () => Promise.reject(new Error('nobody is asked')),
    health: () => {},
    ...(about && { about }),
  });
}

test('a refused token is written down with the address that it came from, not with one that was made up', async () => {
  const told: SecurityEvent[] = [];
  const app = await portOf((event) => void told.push(event));
  const foreign = tokensOf('another text of some length', 'media');
  for (const headers of [
    {},
    { authorization: 'Bearer x.y.z' },
    { authorization: `Bearer ${await foreign.mint('monolith')}` },
    { authorization: `Bearer ${await tokens.mint('orders')}` },
  ]) {
    const made = { ...headers, 'x-forwarded-for': '198.51.100.9' };
    expect((await app.inject({ url: '/calls', headers: made })).statusCode).toBe(401);
  }
  expect(told.map(({ event, address }) => [event, address])).toEqual(
    Array.from({ length: 4 }, () => ['token.internal', '127.0.0.1']),
  );
  await app.close();
});

test('what was counted is told to monoliths and gateways, and to no service', async () => {
  const metrics = createMetrics('monolith');
  const before = Date.now();
  metrics.stats.of('depots', 'service', 'nearest').note(3, true);
  const app = await portOf(undefined, metrics);
  const ask = async (token?: string | Promise<string>) =>
    app.inject({
      url: '/stats',
      headers: token === undefined ? {} : { authorization: `Bearer ${await token}` },
    });
  expect((await ask()).statusCode).toBe(401);
  const refused = await ask(tokensOf('a text of some length', 'orders').mint('monolith'));
  expect([refused.statusCode, refused.json().reason]).toEqual([403, 'call-not-allowed']);
  const told = (await ask(tokens.mint('monolith'))).json();
  expect(told).toMatchObject({
    host: 'monolith',
    edges: [...EDGES],
    modules: { depots: { service: { nearest: { count: 1, watched: 1, bad: 1, slow: 0, slowMs: 500 } } } },
  });
  expect(told.modules.depots.service.nearest.buckets).toEqual([0, 0, 0, 1, ...Array(10).fill(0)]);
  expect(Date.parse(told.now)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(told.since)).toBeLessThanOrEqual(Date.parse(told.now));
  await app.close();
});

test('what a host says of itself is told to monoliths and gateways, and to no service', async () => {
  const about: About = {
    ...{ version: '1.0.0', node: '24.0.0', now: 1, production: true, temporary: false, keeps: true },
    ...{ madeHere: ['ROOT_KEY'], legacy: false, schemas: { depots: null }, otlp: null, notices: null },
  };
  const app = await portOf(undefined, undefined, async () => about);
  const ask = async (token: string | Promise<string>) =>
    app.inject({ url: ABOUT_PATH, headers: { authorization: `Bearer ${await token}` } });
  expect((await app.inject({ url: ABOUT_PATH })).statusCode).toBe(401);
  expect((await ask(tokensOf('a text of some length', 'orders').mint('monolith'))).statusCode).toBe(403);
  expect(readAbout((await ask(tokens.mint('monolith'))).json())).toEqual(about);
  await app.close();
});
