// Requests that follow one another on a connection without waiting: some are served, in order; of very many the rest is
// refused, and the connection serves again once its answers were taken.
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { createMetrics } from '../telemetry/metrics.ts';
import { noTracing } from '../telemetry/tracing.ts';
import { createServer } from './server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function client() {
  const app = createServer({
    hostId: 'here',
    log: pino({ level: 'silent' }),
    metrics: createMetrics('here'),
    tracing: noTracing,
    stalledMs: 20_000,
    routes: () => [],
  });
  app.get('/:n', async (request) => `number ${(request.params as { n: string }).n};`);
  await app.listen({ port: 0, host: '127.0.0.1' });
  closing.push(() => app.close());
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  closing.push(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  /** Asks for so many at once; answers their statuses and what the served ones say. */
  return async (count: number) => {
    text = '';
    socket.write(Array.from({ length: count }, (_, n) => `GET /${n} HTTP/1.1\r\nhost: h\r\n\r\n`).join(''));
    await expect.poll(() => text.match(/HTTP\/1\.1 \d+/g)?.length).toBe(count);
    await expect.poll(() => /(;|\})$/.test(text)).toBe(true);
    return {
      statuses: text.match(/(?<=HTTP\/1\.1 )\d+/g)!,
      served: text.match(/number \d+/g) ?? [],
      text,
    };
  };
}

it('serves some in their order, refuses the rest of very many, and then goes on', async () => {
  const ask = await client();
  const some = await ask(30);
  expect(some.served).toEqual(Array.from({ length: 30 }, (_, n) => `number ${n}`));
  const many = await ask(200);
  expect(many.statuses.slice(0, 33)).toEqual(Array(33).fill('200'));
  expect(many.statuses.slice(33)).toEqual(Array(167).fill('429'));
  expect(many.served).toHaveLength(33);
  expect(many.text).toMatch(/Too many requests of this connection wait for their answers/);
  expect((await ask(30)).served).toHaveLength(30);
});
