// SIGKILL of the process that runs a step, at every step boundary of both styles, before and after its commit: each
// order ends as the table of outcomes says, the sums hold, nobody is charged twice or mailed twice.
import { describe, expect, test } from 'vitest';
import { boundariesOf, Held } from './saga/boundaries.ts';
import { setStyle, styles } from './saga/checkout.ts';
import { ask, discrepancies, mailsOf } from './saga/sums.ts';
import { type Customer, clientOf, eventually, type Shop, unique } from './shop.ts';
import { startShop } from './start-shop.ts';

const modules = ['users', 'catalog', 'orders', 'payments', 'notifications'];

describe.concurrent.each(styles)('by %s', (style) => {
  test.concurrent.each(['all in one process', 'everything extracted'])(
    '%s',
    { timeout: 900_000 },
    async (placement) => {
      let shop = clientOf(await startShop());
      const extracted = placement === 'everything extracted';
      const initial = new Map<string, number>();
      try {
        if (extracted) for (const module of modules) await shop.started.extract(module);
        await setStyle(shop, style);
        const customer = await shop.customer();
        for (const { token, boundary } of boundariesOf(style)) {
          for (const moment of ['before', 'after'] as const) {
            const what = `${boundary.name}, ${moment} its commit, ${style}, ${placement}`;
            const product = await shop.product({ stock: 10 });
            initial.set(product.id, 10);
            const request = { lines: [{ productId: product.id, quantity: 2 }], paymentToken: token };
            const key = unique('kill');
            const held = await Held.at(boundary, shop);
            try {
              // Its answer may never come: the process is killed under it.
              place(shop, customer, key, request).catch(() => {});
              await eventually(async () => expect(await held.waiting(), what).toBeDefined());
              const again = extracted ? await killService(shop, boundary.module) : await killMonolith(shop);
              if (moment === 'before') await held.refuse();
              await held.release();
              shop = await again();
            } catch (error) {
              await held.release();
              throw error;
            }
            const { body } = await eventually(async () => {
              const answer = await place(shop, customer, key, request);
              expect(answer.status, what).toBe(202);
              return answer;
            });
            const order = await eventually(async () => {
              const found = await shop.call('GET', `/api/orders/${body.id}`, { token: customer.token });
              expect(found.status, what).toBe(200);
              expect(found.body.status, what).not.toBe('placed');
              return found.body;
            }, 30_000);
            expect(order.status, what).toBe(token === 'tok_ok' ? 'confirmed' : 'rejected');
            expect(order.saga, what).toBe(style);
            await eventually(async () => {
              expect(await mailsOf(shop, order.id), what).toEqual([`order-${order.status}`]);
              expect(await discrepancies(shop, initial), what).toEqual([]);
            }, 30_000);
          }
        }
      } finally {
        await shop.started.stop();
      }
    },
  );
});

const place = (shop: Shop, { token }: Customer, key: string, body: unknown) =>
  shop.call('POST', '/api/orders', { token, headers: { 'idempotency-key': key }, body });

/** Answers what brings it back. */
async function killMonolith(shop: Shop): Promise<() => Promise<Shop>> {
  await shop.started.host.kill();
  return async () => {
    await shop.started.restart();
    return clientOf(shop.started);
  };
}

/** Its supervisor starts it again under the same id. */
async function killService(shop: Shop, module: string): Promise<() => Promise<Shop>> {
  const [row] = await ask(shop, 'SELECT pid FROM banyan_control.host WHERE id = $1 AND live', [
    `${module}-1`,
  ]);
  process.kill(row!.pid as number, 'SIGKILL');
  return async () => {
    await eventually(async () => {
      const [next] = await ask(
        shop,
        'SELECT pid FROM banyan_control.host WHERE id = $1 AND live AND ready AND pid <> $2',
        [`${module}-1`, row!.pid],
      );
      expect(next).toBeDefined();
    });
    return shop;
  };
}
