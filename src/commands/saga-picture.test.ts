// What the saga commands say of one that is held: the event that holds it, and not whoever has not answered.
import { expect, test } from 'vitest';
import type { Unhandled } from '../banyan/console/shared/held.ts';
import type { SagaOfOrder, SagaOverview } from '../modules/orders/contract.ts';
import { drawSaga, drawSagas } from './saga-picture.ts';

const orderId = '01a22918-095c-70b0-9412-86923d51f0ab';
const at = '2026-01-01T00:00:00.000Z';
const looks = { style: (_: unknown, text: string) => text, now: Date.parse(at) + 185_000 };
const why = 'no answer from payments to capture-payment for 185 s';
const next = `npx banyan saga retry ${orderId}`;

const saga: SagaOfOrder = {
  orderId,
  style: 'choreography',
  status: 'placed',
  state: 'stuck',
  step: 'capture-payment',
  by: 'payments',
  notCancelled: null,
  why,
  next,
  items: [],
};
const letter: Unhandled = {
  module: 'orders',
  key: orderId,
  id: '01a22918-1111-70b0-9412-86923d51f0ab',
  type: 'payments.payment-captured.v1',
  state: 'dead',
  reason: 'value "3000000000" is out of range for type integer, which is a reason that takes two lines',
  since: at,
  behind: 1,
};
const flat = (text: string) => text.replaceAll(/\s+/g, ' ');
const fits = (text: string) =>
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);

test('one saga that a letter holds names the letter, and offers no retry', () => {
  const drawn = drawSaga(saga, [letter], looks);
  fits(drawn);
  expect(flat(drawn)).toContain('Held by orders, which could not handle payments.payment-captured.v1: value');
  expect(flat(drawn)).toContain('Mend and redrive it, or drop it. Until then a retry cannot help: what');
  expect(drawn).toContain(`npx banyan events show ${letter.id}`);
  expect(drawn).toContain('npx banyan saga cancel');
  expect(drawn).not.toContain('retry 0');
  expect(drawn).not.toContain('payments to capture-payment');
  expect(drawn).not.toContain('It waits for');
});

test('what a coordinator met is said as well, and it may be retried', () => {
  const driven: SagaOfOrder = {
    ...saga,
    style: 'orchestration',
    by: 'notifications',
    why: 'catalog is busy',
  };
  const drawn = drawSaga(driven, [letter], looks);
  expect(drawn).not.toContain('It waits for');
  expect(flat(drawn)).toContain('Held by orders, which could not handle');
  expect(drawn).toContain('catalog is busy');
  expect(drawn).toContain(next);
});

test('after a retry it is still held, and says so', () => {
  const drawn = drawSaga({ ...saga, state: 'running', why: null, next: null }, [letter], looks);
  expect(drawn).toContain('Held by orders');
  expect(drawn).toContain(`npx banyan events show ${letter.id}`);
});

test('without a letter it says who has not answered; where letters are not known, where to look', () => {
  const none = drawSaga(saga, [], looks);
  expect(none).toContain(why);
  expect(none).toContain(next);
  expect(none).not.toContain('events');
  const unknown = drawSaga(saga, undefined, looks);
  expect(unknown).toContain(`npx banyan events dead --key ${orderId}`);
  expect(unknown).toContain(next);
});

test('one that tries again by itself may be retried', () => {
  const drawn = drawSaga(saga, [{ ...letter, state: 'waiting' }], looks);
  expect(drawn).toContain('Held by orders, which failed and tries again:');
  expect(drawn).toContain(next);
});

test('what cannot be taken back is not offered to be', () => {
  const drawn = drawSaga({ ...saga, notCancelled: 'It is being taken back already.' }, [], looks);
  expect(drawn).toContain('No cancel: It is being taken back already.');
  expect(drawn).not.toContain('saga cancel');
});

test('the list says the same of each', () => {
  const one = { orderId, style: 'choreography', step: 'capture-payment', since: at, why, next } as const;
  const other = { ...one, orderId: letter.id };
  const sagas: SagaOverview = {
    style: 'choreography',
    changedAt: at,
    changedBy: 'ada',
    running: 0,
    waiting: 0,
    compensating: 0,
    stuck: 2,
    steps: [],
    stuckOrders: [one, other],
  };
  const drawn = drawSagas(sagas, [letter], 'http://here', looks);
  fits(drawn);
  expect(flat(drawn)).toContain('Held by orders, which could not handle payments.payment-captured.v1: value');
  expect(drawn).toContain(`npx banyan events show ${letter.id}`);
  expect(drawn.match(/no answer from payments/g)).toHaveLength(1);
});
