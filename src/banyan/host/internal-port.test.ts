// The internal port on its own: what it writes down of whom it does not let in.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { rightsOf, tokensOf } from '../identity/known-hosts.fixture.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { SecurityEvent } from '../telemetry/security-log.ts';
import { noTracing } from '../telemetry/tracing.ts';
import { createInternalPort } from './internal-port.ts';

test('a refused token is written down with the address that it came from, not with one that was made up', async () => {
  const told: SecurityEvent[] = [];
  const tokens = tokensOf('a text of some length', 'monolith');
  const app = await createInternalPort({
    hostId: 'monolith',
    log: pino({ level: 'silent' }),
    metrics: createMetrics('monolith'),
    tracing: noTracing,
    security: { write: (event) => void told.push(event) },
    dispatchers: new Map(),
    tokens,
    rights: rightsOf('a text of some length'),
    audience: 'monolith',
    verifyBearer: () => Promise.reject(new Error('nobody is asked')),
    health: () => {},
  });
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
