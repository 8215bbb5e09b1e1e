// Every command that the console shows is one that the command line takes: each is read by it as a person would type it.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Static } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { banyan } from '../bin/commands.ts';
import * as letters from '../src/banyan/console/page/dead/commands.ts';
import type { LetterDetails, Tried } from '../src/banyan/console/page/dead/shape.ts';
import { sagaDesks } from '../src/banyan/console/saga-desks.ts';
import type { Unhandled } from '../src/banyan/console/shared/held.ts';
import type * as served from '../src/banyan/events/operations/schemas.ts';
import type { SagaListed } from '../src/banyan/saga/desk.ts';
import { orders } from '../src/modules/orders/contract.ts';
import { users } from '../src/modules/users/contract.ts';

/** Compiled, or what the page is written with is not what the host answers. */
const shapes = {
  letter: (one: served.DeadLetterDetails): LetterDetails => one,
  tried: (one: served.TriedDelivery): Tried => one,
  unhandled: (one: Static<typeof served.HeldKey>): Unhandled => one,
  saga: (one: SagaListed): import('../src/banyan/console/page/sagas/shape.ts').SagaListed => one,
};

const id = '019b76da-a800-7000-8000-01a6aa00d43e';
const odd = { module: 'catalog', type: 'order-placed', reason: "it's a <b>", key: 'a b', olderThan: '2h' };
const typed = JSON.stringify({ note: 'it\'s <b> "mended"\n', lines: [1, null] });
const desk = sagaDesks([users, orders])[0]!;

const commands = [
  letters.dead({}),
  letters.dead(odd),
  letters.tryOne(id, 'catalog', undefined),
  letters.tryOne(id, 'catalog', typed),
  letters.redriveOne(id, 'catalog', undefined),
  letters.redriveOne(id, 'catalog', typed),
  letters.dropOne(id, 'catalog', "it's a test"),
  letters.redriveMany({ ids: [], filter: {} }, undefined),
  letters.redriveMany({ ids: [], filter: odd }, 10),
  letters.redriveMany({ ids: [id, id], filter: { module: 'catalog' } }, 0.5),
  letters.dropMany({ ids: [], filter: odd }, 'a test'),
  letters.dropMany({ ids: [id, id], filter: {} }, 'a test'),
  ...[desk.list, desk.show, desk.style!, desk.retry!, desk.cancel!].map(
    ({ command }) => `npx ${command!.replace(':style', 'orchestration').replace(/:\w+/, id)}`,
  ),
];

let server: Server;
let asked: string[] = [];
let sent = '';
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.on('data', (part: Buffer) => (sent += part));
    response.writeHead(418).end('{"title":"asked","status":418,"code":"asked"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());

/** As a shell takes it apart: words, and what stands between single quotes. */
const words = (line: string) =>
  [...line.matchAll(/(?:'[^']*'|\\'|[^\s'\\])+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|\\'/g, (_, inner: string | undefined) => inner ?? "'"),
  );

test('what the page shows is asked of the host by the command line', async () => {
  const env = { BANYAN_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, BANYAN_TOKEN: 'x' };
  for (const line of commands) {
    asked = [];
    sent = '';
    const [npx, name, ...rest] = words(line);
    expect([npx, name]).toEqual(['npx', 'banyan']);
    let out = '';
    const written = { write: (text: string) => (out += text), isTerminal: false, columns: 80 };
    await banyan([...rest, '--json'], {
      env,
      out: written,
      err: written,
      interrupted: new AbortController().signal,
    } as never);
    expect(asked, `${line}\n${out}`).toHaveLength(1);
    if (line.includes('--data'))
      expect(JSON.parse(sent), line).toEqual({ module: 'catalog', data: JSON.parse(typed) });
  }
});

test('data that is too long for a line is said to go by a file', () => {
  const long = JSON.stringify({ note: 'x'.repeat(5_000) });
  expect(letters.tryOne(id, 'catalog', long)).toMatch(/ --data data\.json$/);
  expect(letters.beforehand(long)).toMatch(/data\.json/);
  expect(letters.beforehand(typed)).toBeUndefined();
});

test('a system is shown the sagas that its contracts say it has', () => {
  expect(sagaDesks([users])).toEqual([]);
  expect(desk).toMatchObject({
    module: 'orders',
    idName: 'orderId',
    list: { path: '/admin/saga', needs: ['read', 'saga'] },
    retry: { method: 'POST', path: '/admin/saga/:orderId/retry', needs: ['saga'] },
  });
});

test('what the page is written with is what the host answers', () => {
  expect(Object.keys(shapes)).toEqual(['letter', 'tried', 'unhandled', 'saga']);
});
