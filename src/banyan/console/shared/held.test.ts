// What holds a saga, and in which words; each state of a delivery is one of these or holds nothing.
import { expect, test } from 'vitest';
import { deliveryStates } from '../../events/delivery.ts';
import { adviceOf, heldInWords, holderOf, type Unhandled } from './held.ts';

const event = (state: string, module = 'orders'): Unhandled => ({
  module,
  key: 'k',
  id: 'i',
  type: 'payments.payment-captured.v1',
  state,
  reason: 'no such shelf',
  since: '2026-01-01T00:00:00.000Z',
  behind: 0,
});

test('what a person must decide holds a saga in whatever state, what goes on by itself only one past its time', () => {
  for (const state of ['dead', 'unknown-version'])
    for (const of of ['stuck', 'running', 'waiting', 'compensating'])
      expect(holderOf(of, [event(state)]), `${of}, ${state}`).toBeDefined();
  for (const state of ['early', 'waiting']) {
    expect(holderOf('stuck', [event(state)]), state).toBeDefined();
    expect(holderOf('running', [event(state)]), state).toBeUndefined();
  }
  expect(holderOf('stuck', [event('dropped')])).toBeUndefined();
  expect(holderOf('finished', [event('dead')])).toBeUndefined();
  expect(holderOf('stuck', [])).toBeUndefined();
});

test('the first is the cause', () => {
  expect(holderOf('stuck', [event('dead', 'orders'), event('waiting', 'catalog')])?.module).toBe('orders');
  expect(holderOf('running', [event('waiting', 'catalog'), event('dead', 'orders')])?.module).toBe('orders');
});

test('it is said in one sentence, whatever the state', () => {
  expect(heldInWords(event('dead'))).toBe(
    'Held by orders, which could not handle payments.payment-captured.v1: no such shelf',
  );
  expect(heldInWords({ ...event('early'), reason: null })).toBe(
    'Held by orders, which waits for what comes before payments.payment-captured.v1',
  );
  expect(heldInWords({ ...event('dead'), reason: 'x'.repeat(5_000) }).length).toBeLessThan(400);
  for (const state of Object.keys(deliveryStates)) {
    if (!holderOf('stuck', [event(state)])) continue;
    expect(heldInWords(event(state))).toContain('payments.payment-captured.v1');
    expect(adviceOf('choreography', event(state))).toMatch(/\.$/);
  }
});

test('a retry cannot help one that goes on by events before the letter is decided', () => {
  expect(adviceOf('choreography', event('dead'))).toContain('a retry cannot help');
  expect(adviceOf('orchestration', event('dead'))).toContain('a retry may not help');
  expect(adviceOf('choreography', event('waiting'))).not.toContain('retry');
});
