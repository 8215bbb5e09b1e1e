// Bad requests about events: what an operator may ask of them, and publishing by hand.
import type { Case, Sent, World } from './bad-input.ts';

const nowhere = '019b76da-a800-7000-8000-01a6aa00ffff';

const ask =
  (method: string, path: string, body?: unknown) =>
  (world: World): Sent => ({ method, path, token: world.admin, body });

const publish =
  (change: object, message: object = {}) =>
  (world: World): Sent =>
    ask('POST', '/api/events', {
      topic: 'users.events',
      key: nowhere,
      message: { type: 'users.user-deleted.v1', data: { userId: nowhere }, ...message },
      ...change,
    })(world);

export const events: readonly Case[] = [
  {
    name: 'an event published by nobody',
    send: () => ({ method: 'POST', path: '/api/events', body: {} }),
    status: 401,
  },
  {
    name: 'an event published by a customer',
    send: (world) => ({ ...publish({})(world), token: world.customer.token }),
    status: 403,
  },
  {
    name: 'an event of nothing',
    send: ask('POST', '/api/events', {}),
    status: 422,
    paths: ['/key', '/message', '/topic'],
  },
  { name: 'an event of no topic', send: publish({ topic: 'nope.events' }), status: 422, paths: ['/topic'] },
  {
    name: 'an event of no type',
    send: publish({}, { type: 'users.user-promoted.v1' }),
    status: 422,
    paths: ['/message/type'],
  },
  {
    name: 'an event of another module’s type',
    send: publish({}, { type: 'orders.order-confirmed.v1' }),
    status: 422,
    paths: ['/message/type'],
  },
  {
    name: 'an event with data that does not fit',
    send: publish({}, { data: { userId: 7 } }),
    status: 422,
    paths: ['/message/data/userId'],
  },
  {
    name: 'an event with data that is none',
    send: publish({}, { data: 'none' }),
    status: 422,
    paths: ['/message/data'],
  },
  {
    name: 'an event under another key than its data has',
    send: publish({ key: '019b76da-a800-7000-8000-01a6aa00fffe' }),
    status: 422,
    paths: ['/key'],
  },
  ...['{"a":', '['].map((open) => ({
    name: `an event with data nested 6,000 deep in ${open}`,
    send: (world: World): Sent => {
      const sent = publish({}, { data: { userId: nowhere, deep: 'HERE' } })(world);
      const deep = `${open.repeat(6_000)}1${(open === '[' ? ']' : '}').repeat(6_000)}`;
      return {
        ...sent,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(sent.body).replace('"HERE"', deep),
      };
    },
    status: 422,
    paths: [`/message/data/deep${(open === '[' ? '/0' : '/a').repeat(61)}`],
  })),
  {
    name: 'a dead letter with data nested 6,000 deep',
    send: (world: World): Sent => ({
      ...ask('POST', `/admin/events/dead/${nowhere}/redrive`)(world),
      headers: { 'content-type': 'application/json' },
      body: `{"data":${'['.repeat(6_000)}${']'.repeat(6_000)}}`,
    }),
    status: 422,
    paths: [`/data${'/0'.repeat(63)}`],
  },
  {
    name: 'an event of half a megabyte',
    send: publish({}, { data: { userId: 7, more: 'x'.repeat(500_000) } }),
    status: 422,
    paths: ['/message/data/userId'],
  },
  {
    name: 'an event of 600 kB',
    send: publish({}, { data: { userId: nowhere, more: 'x'.repeat(600_000) } }),
    status: 422,
    paths: ['/message/data'],
  },
  {
    name: 'an event of 1.1 MB',
    send: publish({}, { data: { userId: nowhere, more: 'x'.repeat(1_100_000) } }),
    status: 413,
  },
  { name: 'an event with a key of NUL', send: publish({ key: '\u0000' }), status: 422, paths: ['/key'] },
  {
    name: 'an event with an id of one’s own',
    send: publish({}, { id: nowhere }),
    status: 422,
    paths: ['/message/id'],
  },
  { name: 'an event whose id is none', send: ask('GET', '/admin/events/1'), status: 422, paths: ['/id'] },
  {
    name: 'an event that does not exist',
    send: ask('GET', `/admin/events/${nowhere}`),
    status: 404,
    code: 'event-unknown',
  },
  {
    name: 'dead letters in no state',
    send: ask('GET', '/admin/events/dead?state=gone'),
    status: 422,
    paths: ['/state'],
  },
  {
    name: 'a dead letter that does not exist',
    send: ask('POST', `/admin/events/dead/${nowhere}/redrive`, {}),
    status: 404,
    code: 'letter-unknown',
  },
  {
    name: 'a dead letter given up without a reason',
    send: ask('POST', `/admin/events/dead/${nowhere}/drop`, {}),
    status: 422,
    paths: ['/why'],
  },
  {
    name: 'dead letters of no module',
    send: ask('GET', '/admin/events/dead?module=nope'),
    status: 404,
    code: 'module-unknown',
  },
  ...['2026-02-31 00:00:00+00', '99999-99-99 99', '0000-01-01 00:00:00+00'].map((since) => ({
    name: `dead letters after ${since}`,
    send: ask(
      'GET',
      `/admin/events/dead?cursor=${Buffer.from(JSON.stringify({ module: 'users', since, id: nowhere })).toString('base64url')}`,
    ),
    status: 422,
    paths: ['/cursor'],
  })),
  {
    name: 'a replay from no time',
    send: ask('POST', '/admin/events/replay', {
      topic: 'users.events',
      from: 'yesterday',
      to: 'notifications',
    }),
    status: 422,
    paths: ['/from'],
  },
  {
    name: 'a replay of no topic',
    send: ask('POST', '/admin/events/replay', {
      topic: 'nope.events',
      from: '2026-01-01T00:00:00Z',
      to: 'notifications',
    }),
    status: 404,
    code: 'topic-unknown',
  },
  {
    name: 'a tail from a cursor of one’s own',
    send: ask('GET', '/admin/events/tail?waitMs=0&cursor=abc'),
    status: 422,
    paths: ['/cursor'],
  },
  {
    name: 'the events as a customer',
    send: (world) => ({ path: '/admin/events', token: world.customer.token }),
    status: 403,
  },
];
