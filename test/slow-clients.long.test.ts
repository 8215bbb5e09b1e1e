// Clients that mean no good by going slowly: who never reads, who sends a byte a second. Who is cut off, and who is not.
// Nearly all of it is waiting: readers and senders wait at once, each at a shop of their own.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'vitest';
import { sendRaw } from './bad-input.ts';
import { metricOf } from './metric.ts';
import { withShop } from './shop.ts';

describe.concurrent('who reads slowly', () =>
  withShop((shop) => {
    test('who never reads is cut off, and who reads slowly gets all of it', {
      timeout: 240_000,
    }, async ({ expect }) => {
      const connections = () => metricOf(shop(), 'banyan_connections{');
      // Nobody else is there whose leaving could be taken for the end of a reader; what is idle ends by itself.
      await expect.poll(connections, { timeout: 90_000, interval: 500 }).toBe(0);
      // Some 12 MB each, and 24: more than the buffers of both sides take.
      const bundle = '/docs/static/swagger-ui-bundle.js';
      const silent = Array.from({ length: 6 }, () => ask(shop().url, bundle, 8).pause());
      const times = 16;
      const slow = ask(shop().url, bundle, times);
      let got = 0;
      let length = 0;
      let hurries = false;
      slow.on('data', (part: Buffer) => {
        if (got === 0) length = Number(/\r\ncontent-length: (\d+)/i.exec(part.toString('latin1'))![1]);
        got += part.length;
        if (hurries) return;
        // 64 kB in 200 ms, until all that never read are gone.
        slow.pause();
        setTimeout(() => slow.resume(), 200);
      });
      const over = once(slow, 'close');
      await expect.poll(connections).toBe(silent.length + 1);
      await expect.poll(connections, { timeout: 90_000, interval: 500 }).toBe(1);
      expect(got).toBeLessThan(times * length);
      hurries = true;
      await over;
      expect(got).toBeGreaterThan(times * length);
      for (const socket of silent) socket.destroy();
    });
  }));

describe.concurrent('who sends slowly', () =>
  withShop((shop) => {
    test('who trickles gets 408, and a body that came too late is not begun', {
      timeout: 120_000,
    }, async ({ expect }) => {
      const head =
        'POST /api/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n';
      const [slow, late] = await Promise.all([
        trickle(shop().url, head, 5000),
        trickle(shop().url, head, 17),
      ]);
      expect(slow).toMatch(/^HTTP\/1.1 408 .*"code":"timeout"/s);
      expect(late).toMatch(/^HTTP\/1.1 503 .*was not begun/s);
    });

    test('a raw refusal says the same of itself as any answer', async ({ expect }) => {
      const got = await sendRaw(shop().url, 'NONSENSE\r\n\r\n', false);
      expect(got.status).toBe(400);
      expect(got.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    });
  }));

/** A connection with so many requests on their way, which ends after the last answer. */
function ask(url: string, path: string, times: number): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  const one = `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  socket.write(`${one.repeat(times - 1)}${one.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`);
  return socket;
}

/** A body of which one byte comes a second, and all that is left after so many seconds. */
function trickle(url: string, head: string, seconds: number): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let sent = 0;
    let got = '';
    const socket = connect(Number(port), hostname, () => socket.write(`${head}{`));
    const timer = setInterval(() => {
      sent += 1;
      socket.write(sent < seconds ? ' ' : `${' '.repeat(5000 - 1 - sent)}}`);
    }, 1000);
    const end = () => {
      clearInterval(timer);
      socket.destroy();
      resolve(got);
    };
    socket.setEncoding('utf8').on('data', (part: string) => {
      got += part;
      if (got.includes('}')) end();
    });
    socket.on('error', () => {}).on('close', end);
  });
}
