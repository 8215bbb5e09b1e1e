// Orders as a customer sees them: every outcome, every error, and the races that the database decides.
import { expect, test } from 'vitest';
import { inBothPlacements, type Shop, unique } from '../../../test/shop.ts';

type Customer = Awaited<ReturnType<Shop['customer']>>;

const nobody = '0192aaaa-0000-7000-8000-000000000000';

inBothPlacements('orders', (shop) => {
  const place = (
    customer: Customer | undefined,
    lines: unknown,
    paymentToken: unknown = 'tok_ok',
    key: string | undefined = unique('key'),
  ) =>
    shop().call('POST', '/api/orders', {
      token: customer?.token,
      headers: key === undefined ? {} : { 'Idempotency-Key': key },
      body: { lines, paymentToken },
    });
  const show = (customer: Customer, id: string) =>
    shop().call('GET', `/api/orders/${id}`, { token: customer.token });
  const cancel = (customer: Customer, id: string) =>
    shop().call('DELETE', `/api/orders/${id}`, { token: customer.token });
  const charges = async (orderId: string) => {
    const { status, body } = await shop().call('GET', `/api/payments/sandbox/charges?orderId=${orderId}`, {
      token: shop().adminToken,
    });
    expect(status).toBe(200);
    return body.items as { status: string; amountCents: number }[];
  };
  const stockOf = async (productId: string) =>
    (await shop().call('GET', `/api/catalog/products/${productId}`)).body.stock;
  const block = (customer: Customer, blocked = true) =>
    shop().call('PATCH', `/api/users/${customer.id}`, { token: shop().adminToken, body: { blocked } });

  test('is answered at once and confirmed once the money is captured', async () => {
    const customer = await shop().customer();
    const a = await shop().product({ priceCents: 250, name: 'Fig' });
    const b = await shop().product({ priceCents: 1999 });
    const answer = await place(customer, [
      { productId: a.id, quantity: 2 },
      { productId: b.id, quantity: 1 },
    ]);
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      id: expect.any(String),
      status: 'placed',
      lines: [
        { productId: a.id, name: 'Fig', quantity: 2, unitCents: 250 },
        { productId: b.id, name: b.name, quantity: 1, unitCents: 1999 },
      ],
      totalCents: 2499,
      currency: 'EUR',
      saga: 'choreography',
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await shop().final(customer, answer.body.id)).toEqual({ ...answer.body, status: 'confirmed' });
    expect(await charges(answer.body.id)).toMatchObject([{ status: 'captured', amountCents: 2499 }]);
    expect(await stockOf(a.id)).toBe(98);
  });

  test.concurrent.each([
    ['tok_ok', 'confirmed', undefined, 'captured'],
    ['tok_flaky', 'confirmed', undefined, 'captured'],
    ['tok_lost', 'confirmed', undefined, 'captured'],
    ['tok_declined', 'rejected', 'payment-declined', 'declined'],
    ['tok_nobody_knows', 'rejected', 'payment-declined', 'declined'],
    ['tok_timeout', 'rejected', 'payment-timeout', 'voided'],
  ])('with %s ends %s', { timeout: 30_000 }, async (token, status, reason, charge) => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 5 });
    const started = Date.now();
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 2 }], token);
    const order = await shop().final(customer, id);
    expect(Date.now() - started).toBeLessThan(15_000);
    expect(order).toMatchObject({ status, ...(reason ? { reason } : {}) });
    expect('reason' in order).toBe(reason !== undefined);
    expect((await charges(id)).map((one) => one.status)).toEqual([charge]);
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(reason ? 5 : 3));
  });

  test('out of stock is rejected and never charged', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 1 });
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 2 }]);
    expect(await shop().final(customer, id)).toMatchObject({ status: 'rejected', reason: 'out-of-stock' });
    expect(await charges(id)).toEqual([]);
    expect(await stockOf(product.id)).toBe(1);
  });

  test('a product named twice is one demand on the stock', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 3 });
    const lines = [
      { productId: product.id, quantity: 1 },
      { productId: product.id.toUpperCase(), quantity: 2 },
    ];
    const { body } = await place(customer, lines);
    expect(body.lines).toHaveLength(2);
    expect(await shop().final(customer, body.id)).toMatchObject({ status: 'confirmed' });
    expect(await stockOf(product.id)).toBe(0);
  });

  test("a blocked user's order is rejected where it begins", async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 1 });
    await block(customer);
    const answer = await place(customer, [{ productId: product.id, quantity: 1 }]);
    expect(answer).toMatchObject({ status: 202, body: { status: 'rejected', reason: 'user-blocked' } });
    expect(await shop().final(customer, answer.body.id)).toEqual(answer.body);
    expect(await stockOf(product.id)).toBe(1);
    expect(await charges(answer.body.id)).toEqual([]);
  });

  test('a user blocked in between: rejected, released, nothing left captured', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 1 });
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
    await block(customer);
    expect(await shop().final(customer, id)).toMatchObject({ status: 'rejected', reason: 'user-blocked' });
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(1));
    expect((await charges(id)).filter((one) => one.status === 'captured')).toEqual([]);
    await block(customer, false);
    const again = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
    await shop().eventually(async () =>
      expect((await show(customer, again.id)).body.status).not.toBe('placed'),
    );
  });

  test('a user deleted in between: their stock comes back, nothing left captured', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 1 });
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(0));
    await shop().call('DELETE', '/api/users/me', { token: customer.token });
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(1));
    expect((await charges(id)).filter((one) => one.status === 'captured')).toEqual([]);
    expect((await place(customer, [{ productId: product.id, quantity: 1 }])).status).toBe(401);
  });

  test('the last item wanted by 50 at once is sold once', { timeout: 30_000 }, async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 1 });
    const placed = await Promise.all(
      Array.from({ length: 50 }, () => shop().order(customer, [{ productId: product.id, quantity: 1 }])),
    );
    const ended = await Promise.all(placed.map(({ id }) => shop().final(customer, id)));
    expect(ended.filter((order) => order.status === 'confirmed')).toHaveLength(1);
    expect(ended.filter((order) => order.reason === 'out-of-stock')).toHaveLength(49);
    const captured = (await Promise.all(placed.map(({ id }) => charges(id)))).flat();
    expect(captured.map((one) => one.status)).toEqual(['captured']);
    expect(await stockOf(product.id)).toBe(0);
  });

  test('a repeated key gives the first answer and one order', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const key = unique('key');
    const lines = [{ productId: product.id, quantity: 1 }];
    const first = await place(customer, lines, 'tok_ok', key);
    await shop().final(customer, first.body.id);
    const repeat = await place(customer, lines, 'tok_ok', key);
    expect(repeat.status).toBe(202);
    expect(repeat.body).toEqual(first.body);
    const other = await place(customer, lines, 'tok_declined', key);
    expect(other).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused', errors: [{ path: '/Idempotency-Key' }] },
    });
    const list = await shop().call('GET', '/api/orders', { token: customer.token });
    expect(list.body.items).toHaveLength(1);
  });

  test('a repeated key gives the first answer also when the order could not be placed any more', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const key = unique('key');
    const lines = [{ productId: product.id, quantity: 3 }];
    const first = await place(customer, lines, 'tok_ok', key);
    const { status } = await shop().call('PATCH', `/api/catalog/products/${product.id}`, {
      token: shop().adminToken,
      body: { priceCents: 5_000_000_000 },
    });
    expect(status).toBe(200);
    expect(await place(customer, lines)).toMatchObject({ status: 422, body: { code: 'total-too-large' } });
    expect(await place(customer, lines, 'tok_ok', key)).toMatchObject({ status: 202, body: first.body });
    expect(await place(customer, lines, 'tok_declined', key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
  });

  test('twenty equal requests at once are one order, one charge', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const key = unique('key');
    const lines = [{ productId: product.id, quantity: 1 }];
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => place(customer, lines, 'tok_ok', key)),
    );
    expect(answers.map((one) => one.status)).toEqual(Array(20).fill(202));
    for (const { body } of answers) expect(body).toEqual(answers[0]!.body);
    await shop().final(customer, answers[0]!.body.id);
    expect(await charges(answers[0]!.body.id)).toHaveLength(1);
    const list = await shop().call('GET', '/api/orders', { token: customer.token });
    expect(list.body.items).toHaveLength(1);
  });

  test('of twenty at once with one key and two bodies, one body wins', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const key = unique('key');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        place(customer, [{ productId: product.id, quantity: 1 + (n % 2) }], 'tok_ok', key),
      ),
    );
    expect(answers.filter((one) => one.status === 202)).toHaveLength(10);
    expect(answers.filter((one) => one.body.code === 'idempotency-key-reused')).toHaveLength(10);
    expect(new Set(answers.filter((one) => one.status === 202).map((one) => one.body.id)).size).toBe(1);
  });

  test('a key is a user’s own', async () => {
    const [one, other] = await Promise.all([shop().customer(), shop().customer()]);
    const product = await shop().product();
    const key = unique('key');
    const lines = [{ productId: product.id, quantity: 1 }];
    const mine = await place(one, lines, 'tok_ok', key);
    const theirs = await place(other, lines, 'tok_ok', key);
    expect(theirs.status).toBe(202);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  test('refuses what cannot be ordered, naming the field, and writes nothing', async () => {
    const customer = await shop().customer();
    const euro = await shop().product();
    const dollar = await shop().product({ currency: 'USD' });
    const gold = await shop().product({ priceCents: 5_000_000_000 });
    const line = (productId: string, quantity: unknown = 1) => ({ productId, quantity });
    const cases: [unknown, unknown, string, string][] = [
      [[line(euro.id), line(nobody)], 'tok_ok', 'product-unknown', '/lines/1/productId'],
      [[line(euro.id), line(dollar.id)], 'tok_ok', 'mixed-currencies', '/lines/1/productId'],
      [[line(gold.id, 3)], 'tok_ok', 'total-too-large', '/lines'],
      [[], 'tok_ok', 'invalid', '/lines'],
      [[line(euro.id, 0)], 'tok_ok', 'invalid', '/lines/0/quantity'],
      [[line(euro.id, 1.5)], 'tok_ok', 'invalid', '/lines/0/quantity'],
      [[line(euro.id, '1')], 'tok_ok', 'invalid', '/lines/0/quantity'],
      [[line("' OR 1=1 --")], 'tok_ok', 'invalid', '/lines/0/productId'],
      [[{ ...line(euro.id), unitCents: 1 }], 'tok_ok', 'invalid', '/lines/0/unitCents'],
      [[line(euro.id)], 7, 'invalid', '/paymentToken'],
      [[line(euro.id)], 'tok\u0000ok', 'invalid', '/paymentToken'],
      [undefined, 'tok_ok', 'invalid', '/lines'],
    ];
    for (const [lines, token, code, path] of cases) {
      const answer = await place(customer, lines, token);
      expect(answer, `${code} ${path}`).toMatchObject({ status: 422, body: { code } });
      expect(answer.body.errors.map((one: { path: string }) => one.path)).toContain(path);
    }
    const list = await shop().call('GET', '/api/orders', { token: customer.token });
    expect(list.body).toEqual({ items: [], nextCursor: null });
  });

  test('needs an Idempotency-Key and a session', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const lines = [{ productId: product.id, quantity: 1 }];
    const body = { lines, paymentToken: 'tok_ok' };
    const keyless = await shop().call('POST', '/api/orders', { token: customer.token, body });
    expect(keyless.status).toBe(422);
    expect(JSON.stringify(keyless.body.errors)).toMatch(/idempotency-?key/i);
    expect((await place(customer, lines, 'tok_ok', 'x'.repeat(256))).status).toBe(422);
    expect((await place(undefined, lines)).status).toBe(401);
    expect((await shop().call('GET', '/api/orders')).status).toBe(401);
  });

  test('lists newest first, page by page, and refuses a cursor of its own making', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1)
      ids.unshift((await shop().order(customer, [{ productId: product.id, quantity: 1 }])).id);
    const page = (query: string) => shop().call('GET', `/api/orders?${query}`, { token: customer.token });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await page(`limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      seen.push(...body.items.map((one: { id: string }) => one.id));
      cursor = body.nextCursor;
    } while (cursor);
    expect(seen).toEqual(ids);
    expect(await page('cursor=nonsense')).toMatchObject({ status: 422, body: { code: 'bad-cursor' } });
    expect((await page('limit=0')).status).toBe(422);
    expect((await page('limit=101')).status).toBe(422);
  });

  test("another's order is not there", async () => {
    const [customer, other] = await Promise.all([shop().customer(), shop().customer()]);
    const product = await shop().product();
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
    expect(await show(other, id)).toMatchObject({ status: 404, body: { code: 'order-unknown' } });
    expect((await cancel(other, id)).status).toBe(404);
    expect((await show(customer, nobody)).status).toBe(404);
    expect((await cancel(customer, nobody)).status).toBe(404);
    expect((await shop().final(customer, id)).status).toBe('confirmed');
    const list = await shop().call('GET', '/api/orders', { token: other.token });
    expect(list.body.items).toEqual([]);
  });

  test('cancelled in time: 200, again 200, released, nothing left captured', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 1 });
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
    const first = await cancel(customer, id);
    expect(first).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
    expect(await cancel(customer, id)).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(1));
    await shop().eventually(async () =>
      expect((await charges(id)).filter((one) => one.status === 'captured')).toEqual([]),
    );
    expect((await show(customer, id)).body.status).toBe('cancelled');
  });

  test.each([
    ['tok_ok', 1],
    ['tok_declined', 1],
  ])('too late to cancel once %s has decided', async (token, quantity) => {
    const customer = await shop().customer();
    const product = await shop().product();
    const { id } = await shop().order(customer, [{ productId: product.id, quantity }], token);
    const { status } = await shop().final(customer, id);
    const answer = await cancel(customer, id);
    expect(answer).toMatchObject({ status: 409, body: { code: 'too-late' } });
    expect(answer.body.detail).toContain(status);
  });

  test('cancelled against captured: whoever wins, money and stock agree', { timeout: 30_000 }, async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 60, priceCents: 100 });
    const placed = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], 'tok_ok');
        // Spread over the few milliseconds in which the money is captured.
        if (n % 3 > 0) await new Promise((resolve) => setTimeout(resolve, n));
        return { id, answer: await cancel(customer, id) };
      }),
    );
    let confirmed = 0;
    for (const { id, answer } of placed) {
      const order = await shop().final(customer, id);
      expect(answer.status).toBe(order.status === 'cancelled' ? 200 : 409);
      if (order.status === 'confirmed') confirmed += 1;
      await shop().eventually(async () => {
        const captured = (await charges(id)).filter((one) => one.status === 'captured').length;
        expect(captured).toBe(order.status === 'confirmed' ? 1 : 0);
      });
    }
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(60 - confirmed));
  });
});
