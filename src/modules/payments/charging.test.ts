// Charging where the order of things matters: an order that ends before, during and after its charge,
// hosts that are frozen, killed or closed in between, a network that is away, and three hosts at once.
import { v7 } from 'uuid';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { generateSealKey, publicHalf } from '../../banyan/identity/keys.ts';
import { sealText, unsealText } from '../../banyan/identity/seal.ts';
import type { Transaction } from '../../banyan/store/store.ts';
import type { SecurityEvent } from '../../banyan/telemetry/security-log.ts';
import { type CardNetwork, NetworkBusy } from './card-network.ts';
import { type PaymentsAlone, paymentsAlone } from './charging.fixture.ts';
import { cardFor } from './contract.ts';
import { forgetTokens, request, undo } from './lifecycle.ts';

/** Payments' own. */
const own = generateSealKey();

let shop: PaymentsAlone;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  shop = await paymentsAlone();
}, 60_000);
afterEach(async () => {
  for (const host of open.splice(0)) await host.close();
});
afterAll(() => shop.close());

const order = (paymentToken = 'tok_ok') => ({
  orderId: v7(),
  userId: v7(),
  totalCents: 700,
  currency: 'EUR',
  paymentToken,
});
type Order = ReturnType<typeof order>;
const inTransaction = <T>(step: (tx: Transaction) => Promise<T>) => shop.store.transaction(step);
/** Whether it made work: not where the order has a payment already, or ended. */
const reserved = (one: Order) => inTransaction(async (tx) => !(await request(tx.sql, one)));
const ended = (one: Order) => inTransaction((tx) => undo(tx, one));

async function running(...args: Parameters<PaymentsAlone['host']>) {
  const host = shop.host(...args);
  open.push(host);
  await host.task.start();
  return host;
}

const becomes = (one: Order, status: string) =>
  expect.poll(async () => (await shop.payment(one.orderId))?.status, { timeout: 10_000 }).toBe(status);

test('ended before it was reserved: never charged, and no work is made', async () => {
  const one = order();
  expect(await ended(one)).toBe(false);
  expect(await reserved(one)).toBe(false);
  expect(await shop.payment(one.orderId)).toMatchObject({ status: 'forestalled', due_at: null });
});

test('ended before the network was asked: void at once', async () => {
  const one = order();
  expect(await reserved(one)).toBe(true);
  expect(await reserved(one)).toBe(false);
  expect(await ended(one)).toBe(false);
  expect(await shop.payment(one.orderId)).toMatchObject({ status: 'voided', due_at: null });
});

test('ended after the capture: refunded once', async () => {
  const one = order();
  const { task } = await running(shop.network);
  await reserved(one);
  task.wake();
  await becomes(one, 'captured');
  expect(await ended(one)).toBe(true);
  expect(await ended(one)).toBe(false);
  task.wake();
  await becomes(one, 'refunded');
  expect(await shop.published(one.orderId)).toEqual(['payment-captured', 'payment-refunded']);
  expect(await shop.charges(one.orderId)).toEqual(['refunded']);
});

test.each([
  ['tok_ok', 'captured'],
  ['tok_declined', 'failed'],
  ['tok_timeout', 'failed'],
])('the card is sealed until it is charged with %s, and gone once that is over', async (token, end) => {
  const one = order();
  const sealed = { ...one, paymentToken: await sealText(cardFor(one.orderId, token), publicHalf(own)) };
  await reserved(sealed);
  expect((await shop.payment(one.orderId))?.token).toBe(sealed.paymentToken);
  const { task } = await running(shop.network, 100, (text) => unsealText(text, async () => own));
  task.wake();
  await becomes(one, end);
  expect((await shop.payment(one.orderId))?.token).toBeNull();
});

test('a card that was sealed for another order pays for nothing, and that is in the security log', async () => {
  const one = order();
  const asked: string[] = [];
  const network: CardNetwork = {
    ...shop.network,
    charge: async (request, signal) => {
      asked.push(request.orderId);
      return shop.network.charge(request, signal);
    },
  };
  const stolen = await sealText(cardFor(v7(), 'tok_ok'), publicHalf(own));
  await reserved({ ...one, paymentToken: stolen });
  const seen: SecurityEvent[] = [];
  const security = { write: (event: SecurityEvent) => void seen.push(event) };
  const { task } = await running(network, 2_000, (text) => unsealText(text, async () => own), security);
  task.wake();
  await becomes(one, 'failed');
  expect(asked).toEqual([]);
  expect(await shop.charges(one.orderId)).toEqual([]);
  expect(seen).toMatchObject([{ event: 'payment.card', outcome: 'refused', target: `order ${one.orderId}` }]);
});

test('what a host of the version before left behind is forgotten', async () => {
  const [over, open] = [order(), order()];
  for (const one of [over, open]) await reserved(one);
  await shop.store.pool.query(`UPDATE payments SET status = 'captured' WHERE order_id = $1`, [over.orderId]);
  await forgetTokens(shop.store.sql);
  expect((await shop.payment(over.orderId))?.token).toBeNull();
  expect((await shop.payment(open.orderId))?.token).toBe('tok_ok');
  await ended(open);
  expect((await shop.payment(open.orderId))?.token).toBeNull();
});

test('ended while a charge is on its way: the charge comes too late', async () => {
  const one = order();
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const late = Promise.withResolvers<string>();
  const { task } = await running({
    ...shop.network,
    async charge(request, signal) {
      asked.resolve();
      await gate.promise;
      const answer = await shop.network.charge(request, signal);
      late.resolve(answer);
      return answer;
    },
  });
  await reserved(one);
  task.wake();
  await asked.promise;
  expect(await ended(one)).toBe(true);
  task.wake();
  await becomes(one, 'voided');
  gate.resolve();
  expect(await late.promise).toBe('voided');
  expect(await shop.charges(one.orderId)).toEqual(['voided']);
  expect(await shop.published(one.orderId)).toEqual(['payment-voided']);
});

test('killed between the answer and its record: asked again, charged once, told once', async () => {
  const one = order();
  const gate = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const frozen = shop.host(
    {
      ...shop.network,
      async charge(request, signal) {
        const answer = await shop.network.charge(request, signal);
        answered.resolve();
        await gate.promise;
        return answer;
      },
    },
    60_000,
  );
  await reserved(one);
  await frozen.job.run(new AbortController().signal);
  await answered.promise;
  await shop.expireLeases();
  const { task } = await running(shop.network);
  task.wake();
  await becomes(one, 'captured');
  // The frozen host thaws and comes with the same answer.
  gate.resolve();
  await frozen.workers.close();
  expect(await shop.published(one.orderId)).toEqual(['payment-captured']);
  expect(await shop.charges(one.orderId)).toEqual(['captured']);
});

test('closed while it waits for an answer: the next host goes on at once', { timeout: 20_000 }, async () => {
  const one = order('tok_timeout');
  const first = await running(shop.network, 60_000);
  await reserved(one);
  first.task.wake();
  await expect.poll(async () => (await shop.payment(one.orderId))?.asks).toBe(1);
  const started = Date.now();
  await first.close();
  expect(Date.now() - started).toBeLessThan(10_000);
  expect((await shop.payment(one.orderId))!.due_at!.getTime()).toBeLessThanOrEqual(Date.now());
  const second = await running(shop.network, 100);
  second.task.wake();
  await becomes(one, 'failed');
  expect(await shop.charges(one.orderId)).toEqual(['voided']);
  expect(await shop.published(one.orderId)).toEqual(['payment-failed']);
});

test('cards that stay silent hold up nobody else', async () => {
  const host = await running(shop.network, 60_000);
  const silent = Array.from({ length: 60 }, () => order('tok_timeout'));
  await Promise.all(silent.map(reserved));
  host.task.wake();
  for (const { orderId } of silent)
    await expect.poll(async () => (await shop.payment(orderId))?.asks).toBe(1);
  const good = Array.from({ length: 40 }, () => order());
  await Promise.all(good.map(reserved));
  host.task.wake();
  for (const one of good) await becomes(one, 'captured');
  for (const { orderId } of silent) expect((await shop.payment(orderId))?.status).toBe('pending');
  await host.close();
  await Promise.all(silent.map(ended));
});

test('a network that is busy for a second is asked until it answers', async () => {
  const one = order();
  let busy = true;
  const { task } = await running({
    ...shop.network,
    charge: async (request, signal) => {
      if (busy) throw new NetworkBusy('away');
      return shop.network.charge(request, signal);
    },
  });
  await reserved(one);
  task.wake();
  await expect.poll(async () => (await shop.payment(one.orderId))?.asks).toBeGreaterThan(3);
  busy = false;
  await becomes(one, 'captured');
});

test('three hosts, a slow and lossy network, orders that end at any time', { timeout: 40_000 }, async () => {
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, Math.random() * 40));
  const lossy = {
    ...shop.network,
    async charge(...ask: Parameters<typeof shop.network.charge>) {
      await pause();
      if (Math.random() < 0.1) throw new NetworkBusy('busy');
      const answer = await shop.network.charge(...ask);
      await pause();
      if (Math.random() < 0.1) throw new Error('the answer is lost');
      return answer;
    },
    void: (...ask: Parameters<typeof shop.network.void>) => pause().then(() => shop.network.void(...ask)),
    refund: (...ask: Parameters<typeof shop.network.refund>) =>
      pause().then(() => shop.network.refund(...ask)),
  };
  const hosts = await Promise.all([running(lossy), running(lossy), running(lossy)]);
  const tokens = ['tok_ok', 'tok_flaky', 'tok_declined'];
  const all = Array.from({ length: 200 }, (_, n) => order(tokens[n % 3]));
  await Promise.all(
    all.map(async (one, n) => {
      await reserved(one);
      for (const { task } of hosts) task.wake();
      if (n % 2 === 0) return;
      await pause();
      await ended(one);
      hosts[0]!.task.wake();
    }),
  );
  const fits: Record<string, string[]> = {
    captured: ['captured'],
    failed: ['declined', 'voided'],
    voided: ['', 'voided', 'declined'],
    refunded: ['refunded'],
  };
  for (const one of all) {
    await expect.poll(async () => (await shop.payment(one.orderId))?.due_at, { timeout: 20_000 }).toBe(null);
    const { status } = (await shop.payment(one.orderId))!;
    const charges = await shop.charges(one.orderId);
    expect(charges.length).toBeLessThanOrEqual(1);
    expect(fits[status], status).toContain(charges[0] ?? '');
    const told = await shop.published(one.orderId);
    const expected: Record<string, string[]> = {
      captured: ['payment-captured'],
      failed: ['payment-failed'],
      voided: ['payment-voided'],
      refunded: ['payment-captured', 'payment-refunded'],
    };
    expect(told).toEqual(expected[status]);
  }
});
