// An order that nobody answers: shown as stuck with the reason and the command that helps, counted, and helped by
// a person; bad input to the operator's paths. Catalog is held up by a lock on its table, a payment by its commit, and time by
// its columns.
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { boundariesOf, Held } from './saga/boundaries.ts';
import { setStyle, styles, timeline } from './saga/checkout.ts';
import { cli } from './saga/cli.ts';
import { ask, discrepancies } from './saga/sums.ts';
import { type Shop, withShop } from './shop.ts';

const nobody = '0192aaaa-0000-7000-8000-000000000000';

withShop((shop) => {
  const admin = (method: string, path: string, body?: unknown) =>
    shop().call(method, path, { token: shop().adminToken, ...(body === undefined ? {} : { body }) });

  describe.each(styles)('by %s', (style) => {
    test.each(['retry', 'cancel'])(
      'an order whose stock nobody reserves is stuck, and helped by %s',
      async (help) => {
        await setStyle(shop(), style);
        const customer = await shop().customer();
        const product = await shop().product({ stock: 5 });
        const open = await holdUp(shop());
        const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
        expect(await admin('POST', `/admin/saga/${id}/${help}`)).toMatchObject({
          status: 409,
          body: { code: 'saga-running' },
        });
        await age(shop(), id);
        const stuck = await admin('GET', '/admin/saga');
        expect(stuck.body).toMatchObject({
          stuck: 1,
          stuckOrders: [{ orderId: id, style, step: 'reserve-stock', next: `npx banyan saga retry ${id}` }],
        });
        expect(stuck.body.stuckOrders[0].why).toContain('catalog');
        const shown = await cli(shop(), 'saga', 'show', id);
        expect(shown.out).toContain('stuck');
        expect(shown.out).toContain(`npx banyan saga retry ${id}`);
        expect(Math.max(...shown.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
        // One look serves all scrapes of a second.
        await shop().eventually(async () =>
          expect(await metrics(shop())).toMatch(
            new RegExp(`banyan_sagas_open\\{style="${style}",step="reserve-stock",state="stuck"[^}]*\\} 1`),
          ),
        );
        expect((await timeline(shop(), customer, id)).at(-1)).toMatchObject({ status: 'stuck', where: null });

        const helped = await cli(shop(), 'saga', help, id);
        expect(helped.code, helped.err).toBe(0);
        const { items } = (await admin('GET', '/admin/audit?source=saga&limit=100')).body;
        const acts = items.filter(({ detail }: { detail: { id?: string } | null }) => detail?.id === id);
        const what = `${help === 'retry' ? 'retried' : 'cancelled'} the saga of ${id}`;
        expect(acts).toMatchObject([
          { what, module: 'orders', actor: 'operator', by: expect.stringContaining(`banyan saga ${help}`) },
        ]);
        await open();
        const wanted = help === 'retry' ? 'confirmed' : 'cancelled';
        expect(await shop().final(customer, id)).toMatchObject({ status: wanted });
        await shop().eventually(async () => {
          expect(await discrepancies(shop(), new Map([[product.id, 5]]))).toEqual([]);
          expect((await admin('GET', '/admin/saga')).body).toMatchObject({
            running: 0,
            waiting: 0,
            compensating: 0,
            stuck: 0,
          });
        });
        // A cancelled order is over, until catalog's late reservation makes it compensate once more.
        await shop().eventually(async () =>
          expect(await admin('POST', `/admin/saga/${id}/${help}`)).toMatchObject({
            status: 409,
            body: { code: 'saga-finished', detail: expect.stringContaining(wanted) },
          }),
        );
      },
    );
  });

  test('an answer that comes after its deadline is the answer', async () => {
    await setStyle(shop(), 'orchestration');
    const customer = await shop().customer();
    const product = await shop().product();
    const held = await holdPayments(shop());
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
    try {
      await shop().eventually(async () => expect(await held.waiting()).toBeDefined());
      await age(shop(), id);
      expect((await admin('GET', `/admin/saga/${id}`)).body).toMatchObject({
        state: 'stuck',
        step: 'capture-payment',
      });
    } finally {
      await held.release();
    }
    expect(await shop().final(customer, id)).toMatchObject({ status: 'confirmed' });
  });

  test('a payment’s answer told twice, or late, changes nothing', async () => {
    for (const style of styles) {
      await setStyle(shop(), style);
      const customer = await shop().customer();
      const product = await shop().product({ stock: 5 });
      const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
      expect(await shop().final(customer, id)).toMatchObject({ status: 'confirmed' });
      for (const kind of ['captured', 'failed'])
        await ask(
          shop(),
          `SELECT payments.emit_event(gen_random_uuid(), 'payments.events', $1::text, $2, $3::json)`,
          [
            id,
            `payments.payment-${kind}.v1`,
            JSON.stringify({
              orderId: id,
              userId: customer.id,
              paymentId: nobody,
              amountCents: 1000,
              currency: 'EUR',
              reason: 'payment-declined',
            }),
          ],
        );
      await shop().eventually(async () => {
        const [row] = await ask(
          shop(),
          `SELECT count(*)::int AS n FROM payments.event_sent WHERE key = $1 AND sequence >= 2`,
          [id],
        );
        expect(row!.n).toBeGreaterThanOrEqual(2);
        expect(await discrepancies(shop())).toEqual([]);
      });
      expect((await shop().call('GET', `/api/orders/${id}`, { token: customer.token })).body.status).toBe(
        'confirmed',
      );
    }
  });

  test('bad input, and others’ orders', async () => {
    const customer = await shop().customer();
    const { token } = customer;
    for (const [method, path] of [
      ['GET', `/admin/saga/${nobody}`],
      ['POST', `/admin/saga/${nobody}/retry`],
      ['POST', `/admin/saga/${nobody}/cancel`],
    ] as const)
      expect(await admin(method, path), path).toMatchObject({ status: 404, body: { code: 'order-unknown' } });
    expect(await admin('GET', '/admin/saga/no-id')).toMatchObject({ status: 422, body: { code: 'invalid' } });
    for (const body of [{ style: 'dance' }, {}, { style: 'choreography', more: 1 }])
      expect(await admin('PUT', '/admin/saga', body)).toMatchObject({
        status: 422,
        body: { code: 'invalid' },
      });
    expect(await shop().call('GET', '/admin/saga', { token })).toMatchObject({ status: 403 });
    expect(await shop().call('GET', '/admin/saga')).toMatchObject({ status: 401 });
    expect(await shop().call('GET', `/api/orders/${nobody}/timeline`, { token })).toMatchObject({
      status: 404,
    });
    const other = await shop().customer();
    const product = await shop().product();
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
    expect(await shop().call('GET', `/api/orders/${id}/timeline`, { token: other.token })).toMatchObject({
      status: 404,
    });
    const unknown = await cli(shop(), 'saga', 'show', nobody);
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('No such order') });
  });

  test('the style of the moment, with who set it', async () => {
    const set = await cli(shop(), 'saga', 'style', 'orchestration');
    expect(set).toMatchObject({
      code: 0,
      out: 'orders placed from now on are coordinated by orchestration\n',
    });
    expect((await admin('GET', '/admin/saga')).body).toMatchObject({
      style: 'orchestration',
      changedBy: expect.stringContaining('banyan saga style'),
    });
    const drawn = await cli(shop(), 'saga');
    expect(drawn.out).toContain('Orders are placed by orchestration');
    expect(Math.max(...drawn.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect((await cli(shop(), 'saga', 'style', 'dance')).err).toContain('choreography, orchestration');
  });

  // Last: these users are taken out of their tables, and their mail fails for good.
  test.each(styles)('by %s: a mail that fails for good leaves the order confirmed', async (style) => {
    await setStyle(shop(), style);
    const customer = await shop().customer();
    const product = await shop().product();
    const held = await holdPayments(shop());
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }]);
    try {
      // Notifications hears of a customer by an event: one that comes later would bring the address back.
      await shop().eventually(async () => {
        const gone = await ask(shop(), 'DELETE FROM notifications.contacts WHERE user_id = $1 RETURNING 1', [
          customer.id,
        ]);
        expect(gone).toHaveLength(1);
      });
      await ask(shop(), 'DELETE FROM users.users WHERE id = $1', [customer.id]);
    } finally {
      await held.release();
    }
    await shop().eventually(async () => {
      const { body } = await admin('GET', `/admin/saga/${id}`);
      expect(body).toMatchObject({ status: 'confirmed', state: 'finished' });
      expect(body.items.at(-1)).toMatchObject({
        step: 'send-mail',
        status: 'failed',
        why: expect.stringContaining('gone'),
      });
    });
    const mails = await ask(shop(), 'SELECT status FROM notifications.notifications WHERE order_id = $1', [
      id,
    ]);
    expect(mails).toEqual([{ status: 'failed' }]);
  });
});

/** Nobody can touch reservations until the answer is called. */
async function holdUp({ started }: Shop): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: started.databaseUrl });
  await client.connect();
  // A test that fails before it lets go holds up no other.
  onTestFinished(() => client.end());
  await client.query('BEGIN; LOCK TABLE catalog.reservations IN ACCESS EXCLUSIVE MODE');
  return async () => {
    await client.query('COMMIT');
    await client.end();
  };
}

/** No payment is captured until it is released. */
const holdPayments = (shop: Shop) =>
  Held.at(
    boundariesOf('choreography').find(({ boundary }) => boundary.name === 'payment captured')!.boundary,
    shop,
  );

/** As if its step had begun a minute ago. */
async function age(shop: Shop, orderId: string): Promise<void> {
  await ask(shop, `UPDATE orders.sagas SET deadline_at = now() - interval '1 second' WHERE id = $1`, [
    orderId,
  ]);
  await ask(shop, `UPDATE orders.saga_steps SET at = at - interval '1 minute' WHERE saga_id = $1`, [orderId]);
}

async function metrics(shop: Shop): Promise<string> {
  const [row] = await ask(shop, `SELECT url FROM banyan_control.host WHERE url IS NOT NULL LIMIT 1`);
  return (await fetch(new URL('/metrics', row!.url as string))).text();
}
