// What a host says that is asked for what it does not have, and which spans of time are the past.
import { describe, expect, test } from 'vitest';
import type { Call } from '../../context/call.ts';
import { firstOperator } from '../../context/principal.ts';
import type { Problem } from '../../contract/problem.ts';
import { shop, till } from '../testing/shop.ts';
import { eventHandlers } from './handlers.ts';
import { span } from './site.ts';
import { readable } from './tail.ts';

const call = { principal: firstOperator, deadline: 0, traceparent: '' } as Call;
const handlers = eventHandlers({
  contracts: [shop, till],
  modules: [],
  eventLog: { kind: 'postgres' } as never,
  closing: new AbortController().signal,
});
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'an answer',
    (problem: Problem) => `${problem.status} ${problem.code}`,
  );

describe('a host without stores, such as a gateway alone', () => {
  const from = '2026-01-01T00:00:00Z';
  const data = { orderId: 'a', n: 1 };
  const message = { type: 'shop.sold.v1', data };
  test.each<[string, () => Promise<unknown>]>([
    ['overview', () => handlers.overview({}, call)],
    ['dead', () => handlers.dead({}, call)],
    ['dead of one', () => handlers.dead({ module: 'till' }, call)],
    ['held', () => handlers.held({}, call)],
    ['unhandled', () => handlers.unhandled({ keys: 'a' }, call)],
    ['show', () => handlers.show({ id: 'x' }, call)],
    ['verify', () => handlers.verify({}, call)],
    ['tail', () => handlers.tail({}, call)],
    ['replay', () => handlers.replay({ topic: 'shop.events', from, to: 'till' }, call)],
    ['publish', () => handlers.publish({ topic: 'shop.events', key: 'a', message }, call)],
  ])('%s says whom to ask', async (_name, ask) => {
    expect(await code(ask())).toBe('421 store-elsewhere');
  });

  test('knows what exists nowhere', async () => {
    expect(await code(handlers.dead({ module: 'nobody' }, call))).toBe('404 module-unknown');
    expect(await code(handlers.tail({ topic: 'x' }, call))).toBe('404 topic-unknown');
  });
});

test('a span lies in the past, and has a length', () => {
  const now = Date.parse('2026-06-01T00:00:00Z');
  const paths = (given: Parameters<typeof span>[0]) => {
    try {
      span(given, now);
      return [];
    } catch (problem) {
      return (problem as Problem).body.errors!.map(({ path }) => path);
    }
  };
  expect(paths({ from: '2026-05-01T00:00:00Z' })).toEqual([]);
  expect(paths({ from: '2026-07-01T00:00:00Z' })).toEqual(['/from']);
  expect(paths({ from: '2026-07-01T00:00:00Z', until: '2026-08-01T00:00:00Z' })).toEqual(['/from', '/until']);
  expect(paths({ from: '2026-05-02T00:00:00Z', until: '2026-05-01T00:00:00Z' })).toEqual(['/until']);
});

describe('what came as an event, for a person', () => {
  test('is JSON where it can be written out again, and its text where it cannot', () => {
    const deep = `${'{"a":'.repeat(6_000)}1${'}'.repeat(6_000)}`;
    expect(readable(Buffer.from('{"a":[1]}'))).toEqual({ data: { a: [1] }, text: null });
    expect(readable(Buffer.from('null'))).toEqual({ data: null, text: null });
    expect(readable(Buffer.from(deep))).toEqual({ data: null, text: deep });
    expect(readable(Buffer.from('{"a":'))).toEqual({ data: null, text: '{"a":' });
    expect(readable(Buffer.from([0xff, 0xfe]))).toEqual({ data: null, text: null });
    expect(readable(null)).toEqual({ data: null, text: null });
  });
});
