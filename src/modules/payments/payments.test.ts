// Payments as customers and administrators see them: one charge per order, its trace, and sums that agree
// with the card network's own ledger.
import { expect, test } from 'vitest';
import { inBothPlacements, type Shop } from '../../../test/shop.ts';

type Customer = Awaited<ReturnType<Shop['customer']>>;

inBothPlacements('payments', (shop) => {
  const payments = async (customer: Customer, query = '') => {
    const { status, body } = await shop().call('GET', `/api/payments?${query}`, { token: customer.token });
    expect(status).toBe(200);
    return body.items as { id: string; orderId: string; amountCents: number; status: string }[];
  };
  const charges = async (query = '') => {
    const { status, body } = await shop().call('GET', `/api/payments/sandbox/charges?${query}`, {
      token: shop().adminToken,
    });
    expect(status).toBe(200);
    return body;
  };
  const finished = async (customer: Customer, token: string, priceCents = 1000) => {
    const product = await shop().product({ priceCents });
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], token);
    await shop().final(customer, id);
    return id;
  };

  test('a captured payment is the customer’s to see, and nobody else’s', async () => {
    const [customer, other] = await Promise.all([shop().customer(), shop().customer()]);
    const orderId = await finished(customer, 'tok_ok', 1234);
    expect(await payments(customer, `orderId=${orderId}`)).toEqual([
      {
        id: expect.any(String),
        orderId,
        amountCents: 1234,
        currency: 'EUR',
        status: 'captured',
        createdAt: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await payments(other, `orderId=${orderId}`)).toEqual([]);
    expect((await shop().call('GET', '/api/payments')).status).toBe(401);
  });

  test.concurrent.each([
    ['tok_flaky', 'captured', 'captured'],
    ['tok_declined', 'failed', 'declined'],
    ['tok_timeout', 'failed', 'voided'],
  ])('%s: payment %s, one charge %s', { timeout: 30_000 }, async (token, payment, charge) => {
    const customer = await shop().customer();
    const orderId = await finished(customer, token);
    expect((await payments(customer, `orderId=${orderId}`)).map((one) => one.status)).toEqual([payment]);
    const { items } = await charges(`orderId=${orderId}`);
    expect(items).toEqual([
      {
        id: expect.any(String),
        orderId,
        amountCents: 1000,
        currency: 'EUR',
        status: charge,
        idempotencyKey: `order-${orderId}`,
        createdAt: expect.stringMatching(/Z$/),
      },
    ]);
  });

  test('an order that ended without a charge has no payment', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 0 });
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
    await shop().final(customer, id);
    expect(await payments(customer, `orderId=${id}`)).toEqual([]);
  });

  test('lists page by page', async () => {
    const customer = await shop().customer();
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.unshift(await finished(customer, 'tok_ok'));
    expect((await payments(customer)).map((one) => one.orderId)).toEqual(ids);
    const first = await shop().call('GET', '/api/payments?limit=2', { token: customer.token });
    expect(first.body.items).toHaveLength(2);
    const rest = await payments(customer, `limit=2&cursor=${first.body.nextCursor}`);
    expect(rest.map((one) => one.orderId)).toEqual(ids.slice(2));
    const bad = await shop().call('GET', '/api/payments?cursor=x', { token: customer.token });
    expect(bad).toMatchObject({ status: 422, body: { code: 'bad-cursor', errors: [{ path: '/cursor' }] } });
  });

  test('the ledger is for administrators', async () => {
    const customer = await shop().customer();
    const asCustomer = await shop().call('GET', '/api/payments/sandbox/charges', { token: customer.token });
    expect(asCustomer.status).toBe(403);
    expect((await shop().call('GET', '/api/payments/sandbox/charges')).status).toBe(401);
    const page = await charges('limit=1');
    expect(page.items.length).toBeLessThanOrEqual(1);
    const bad = await shop().call('GET', '/api/payments/sandbox/charges?orderId=7', {
      token: shop().adminToken,
    });
    expect(bad.status).toBe(422);
  });

  test('a mix of everything: the ledger, the payments and the orders agree', {
    timeout: 60_000,
  }, async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 30, priceCents: 700 });
    const tokens = ['tok_ok', 'tok_declined', 'tok_flaky', 'tok_timeout', 'tok_ok'];
    const placed = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const lines = [{ productId: product.id, quantity: 1 }];
        const order = await shop().order(customer, lines, tokens[n % tokens.length]);
        if (n % 4 === 0) await shop().call('DELETE', `/api/orders/${order.id}`, { token: customer.token });
        return order;
      }),
    );
    let confirmed = 0;
    for (const { id } of placed) {
      const order = await shop().final(customer, id);
      const wanted = order.status === 'confirmed' ? 1 : 0;
      confirmed += wanted;
      await shop().eventually(async () => {
        const { items } = await charges(`orderId=${id}`);
        expect(items.length).toBeLessThanOrEqual(1);
        expect(items.filter((one: { status: string }) => one.status === 'captured')).toHaveLength(wanted);
        const own = await payments(customer, `orderId=${id}`);
        expect(own.filter((one) => one.status === 'captured')).toHaveLength(wanted);
        expect(own.filter((one) => one.status === 'pending')).toEqual([]);
      });
    }
    expect(confirmed).toBeGreaterThan(0);
    await shop().eventually(async () => {
      const { body } = await shop().call('GET', `/api/catalog/products/${product.id}`);
      expect(body.stock).toBe(30 - confirmed);
    });
  });
});
