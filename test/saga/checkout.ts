// The checkout's table of outcomes as one suite, which knows neither the style nor where modules run nor the log:
// every run of it must come to the same. What differs is only what the timeline calls its steps.
import { beforeAll, describe, expect, test } from 'vitest';
import type { SagaStyle, TimelineItem } from '../../src/modules/orders/contract.ts';
import { type Customer, eventually, type Shop } from '../shop.ts';
import { chargesOf, discrepancies, mailsOf } from './sums.ts';

export const styles: readonly SagaStyle[] = ['choreography', 'orchestration'];

interface Case {
  readonly token: string;
  readonly stock?: number;
  readonly status: string;
  readonly reason?: string;
  /** In the network's own ledger. */
  readonly charges: readonly string[];
  /** Slow: the network is silent. */
  readonly silent?: true;
}

const cases: readonly Case[] = [
  { token: 'tok_ok', status: 'confirmed', charges: ['captured'] },
  { token: 'tok_flaky', status: 'confirmed', charges: ['captured'] },
  { token: 'tok_lost', status: 'confirmed', charges: ['captured'], silent: true },
  { token: 'tok_declined', status: 'rejected', reason: 'payment-declined', charges: ['declined'] },
  { token: 'tok_timeout', status: 'rejected', reason: 'payment-timeout', charges: ['voided'], silent: true },
  { token: 'tok_ok', stock: 1, status: 'rejected', reason: 'out-of-stock', charges: [] },
];

export interface CheckoutOptions {
  /** Leave out what waits for a silent network. */
  readonly quick?: boolean;
  /** The host that a module runs on, for the timeline. */
  readonly host?: (module: string) => string;
}

export async function setStyle(shop: Shop, style: SagaStyle): Promise<void> {
  const { status, body } = await shop.call('PUT', '/admin/saga', { token: shop.adminToken, body: { style } });
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body).toMatchObject({ style });
}

export async function timeline(shop: Shop, customer: Customer, orderId: string): Promise<TimelineItem[]> {
  const { status, body } = await shop.call('GET', `/api/orders/${orderId}/timeline`, {
    token: customer.token,
  });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.items;
}

export function checkoutSuite(shop: () => Shop, style: SagaStyle, options: CheckoutOptions = {}): void {
  const { quick = false, host = () => 'monolith' } = options;
  // The long suites share their machine with others.
  const patience = quick ? 20_000 : 90_000;
  const soon = <T>(expectation: () => Promise<T>) => eventually(expectation, patience);
  const final = (customer: Customer, id: string) =>
    soon(async () => {
      const order = await show(customer, id);
      expect(order.status).not.toBe('placed');
      return order;
    });
  const show = async (customer: Customer, id: string) =>
    (await shop().call('GET', `/api/orders/${id}`, { token: customer.token })).body;
  const cancel = (customer: Customer, id: string) =>
    shop().call('DELETE', `/api/orders/${id}`, { token: customer.token });
  const block = (customer: Customer) =>
    shop().call('PATCH', `/api/users/${customer.id}`, { token: shop().adminToken, body: { blocked: true } });
  const stockOf = async (id: string) => (await shop().call('GET', `/api/catalog/products/${id}`)).body.stock;
  const nothingLeft = (orderId: string, productId: string, stock: number) =>
    soon(async () => {
      expect(await stockOf(productId)).toBe(stock);
      const charges = await chargesOf(shop(), orderId);
      expect(charges.filter((one) => one.status === 'captured')).toEqual([]);
    });
  const oneMail = (orderId: string, ending: string) =>
    soon(async () => expect(await mailsOf(shop(), orderId)).toEqual([`order-${ending}`]));

  describe(`by ${style}`, () => {
    beforeAll(() => setStyle(shop(), style));

    const some = quick ? cases.filter((one) => !one.silent) : cases;
    test.concurrent.each(some)('$token, stock $stock: $status $reason', async (one) => {
      const { token, stock = 5, status, reason, charges } = one;
      const customer = await shop().customer();
      const product = await shop().product({ stock });
      const began = Date.now();
      const placed = await shop().order(customer, [{ productId: product.id, quantity: 2 }], token);
      expect(placed).toMatchObject({ status: 'placed', saga: style });
      const order = await final(customer, placed.id);
      expect(order).toMatchObject({ status, saga: style, ...(reason ? { reason } : {}) });
      await soon(async () => {
        expect((await chargesOf(shop(), placed.id)).map((charge) => charge.status)).toEqual(charges);
        expect(await stockOf(product.id)).toBe(status === 'confirmed' ? stock - 2 : stock);
      });
      await oneMail(placed.id, status);
      await soon(async () => {
        const items = await timeline(shop(), customer, placed.id);
        expect(inTurn(items)).toEqual(expected(style, one));
        for (const { step, where, attempts, at } of items) {
          expect(where, step).toBe(host(moduleOf(step)));
          expect(attempts, step).toBeGreaterThan(0);
          expect(Date.parse(at), step).toBeGreaterThan(began - 60_000);
        }
        const told = items.find(({ step }) => step === 'reject-order');
        expect(told?.why ?? undefined).toBe(reason);
      });
    });

    test.concurrent('a user blocked in between: released, nothing left captured, rejected', async () => {
      const customer = await shop().customer();
      const product = await shop().product({ stock: 3 });
      const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
      await soon(async () => expect(await stockOf(product.id)).toBe(2));
      await block(customer);
      expect(await final(customer, id)).toMatchObject({ status: 'rejected', reason: 'user-blocked' });
      await nothingLeft(id, product.id, 3);
      await oneMail(id, 'rejected');
    });

    test.concurrent('a user blocked already: rejected where it begins, and mailed once', async () => {
      const customer = await shop().customer();
      const product = await shop().product({ stock: 3 });
      await block(customer);
      const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
      expect(await show(customer, id)).toMatchObject({
        status: 'rejected',
        reason: 'user-blocked',
        saga: style,
      });
      await oneMail(id, 'rejected');
      const items = await timeline(shop(), customer, id);
      expect(items.slice(0, 3)).toMatchObject([
        { step: 'place-order', status: 'done', why: null },
        { step: 'check-user', status: 'failed', why: 'user-blocked' },
        { step: 'reject-order', status: 'done', why: 'user-blocked' },
      ]);
      expect(await chargesOf(shop(), id)).toEqual([]);
    });

    test.concurrent('cancelled while it is charged: taken back, nothing left captured', async () => {
      const customer = await shop().customer();
      const product = await shop().product({ stock: 3 });
      const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
      await soon(async () => expect(await stockOf(product.id)).toBe(2));
      const answer = await cancel(customer, id);
      // Nobody drives a choreographed order: its row decides. A coordinator has to take back what it began.
      expect(answer.status).toBe(style === 'choreography' ? 200 : 202);
      expect(answer.body.status).toBe(style === 'choreography' ? 'cancelled' : 'placed');
      expect(await final(customer, id)).toMatchObject({ status: 'cancelled' });
      await nothingLeft(id, product.id, 3);
      await oneMail(id, 'cancelled');
      expect((await cancel(customer, id)).status).toBe(200);
    });

    test.concurrent('too late to cancel: 409 that says why', async () => {
      const customer = await shop().customer();
      const product = await shop().product();
      const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
      expect(await final(customer, id)).toMatchObject({ status: 'confirmed' });
      expect(await cancel(customer, id)).toMatchObject({
        status: 409,
        body: { code: 'too-late', detail: 'The order is already confirmed.' },
      });
    });

    test('cancelled against confirmed: whoever wins, money, stock and mail agree', async () => {
      const customer = await shop().customer();
      const product = await shop().product({ stock: 40 });
      const rounds = quick ? 8 : 20;
      const ends = await Promise.all(
        Array.from({ length: rounds }, async (_, round) => {
          const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
          // Later and later, until the confirmation is there first.
          for (let turn = 0; turn < round; turn += 1) await show(customer, id);
          const answer = await cancel(customer, id);
          const order = await final(customer, id);
          const wanted = { 200: 'cancelled', 202: 'cancelled', 409: 'confirmed' }[answer.status];
          expect(order.status, `${answer.status}`).toBe(wanted);
          await oneMail(id, order.status);
          return order.status;
        }),
      );
      const bought = ends.filter((one) => one === 'confirmed').length;
      await soon(async () => expect(await stockOf(product.id)).toBe(40 - bought));
    });

    test('the last item wanted by 50 at once: one confirmed, 49 out of stock', async () => {
      const customer = await shop().customer();
      const product = await shop().product({ stock: 1 });
      const wanted = quick ? 20 : 50;
      const placed = await Promise.all(
        Array.from({ length: wanted }, () =>
          shop().order(customer, [{ productId: product.id, quantity: 1 }]),
        ),
      );
      const ended = await Promise.all(placed.map(({ id }) => final(customer, id)));
      expect(ended.filter(({ status }) => status === 'confirmed')).toHaveLength(1);
      expect(ended.filter(({ reason }) => reason === 'out-of-stock')).toHaveLength(wanted - 1);
    });

    test('the sums hold: money by orders and by the network, stock by catalog', async () => {
      await soon(async () => expect(await discrepancies(shop())).toEqual([]));
    });
  });
}

/** By events stock is released and the mail sent side by side: here the mail comes last. */
function inTurn(items: readonly TimelineItem[]): string[] {
  const words = items.map(({ step, status }) => (status === 'done' ? step : `${step} ${status}`));
  return [...words.filter((step) => step !== 'send-mail'), ...words.filter((step) => step === 'send-mail')];
}

/** What the timeline says in the end. */
export function expected(style: SagaStyle, { status, reason }: Pick<Case, 'status' | 'reason'>): string[] {
  const mail = style === 'orchestration' ? ['mail-customer', 'send-mail'] : ['send-mail'];
  const begin = ['place-order', 'check-user'];
  if (status === 'confirmed') {
    const sold = style === 'orchestration' ? ['sell-stock'] : [];
    return [...begin, 'reserve-stock', 'capture-payment', 'confirm-order', ...sold, ...mail];
  }
  if (reason === 'out-of-stock') return [...begin, 'reserve-stock failed', 'reject-order', ...mail];
  // By events the rejection is what others react to; a coordinator takes back first and then says so.
  const back =
    style === 'orchestration' ? ['release-stock', 'reject-order'] : ['reject-order', 'release-stock'];
  return [...begin, 'reserve-stock', 'capture-payment failed', ...back, ...mail];
}

function moduleOf(step: string): string {
  if (/stock/.test(step)) return 'catalog';
  if (/payment/.test(step)) return 'payments';
  return /mail/.test(step) ? 'notifications' : 'orders';
}
