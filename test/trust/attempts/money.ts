// What all of it is for: goods without money. An order is placed whose card is never charged, and everything is tried that
// could make others believe that it was paid.
import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { eventually } from '../../shop.ts';
import type { Attempt } from '../attempt.ts';

export const money: readonly Attempt[] = [
  {
    name: 'has an order confirmed that nobody paid',
    moves: true,
    async tries(thief, victim) {
      const lines = [{ productId: victim.product.id, quantity: 1 }];
      const { id } = await victim.shop.order(victim.customer, lines, 'tok_timeout');
      const data = {
        ...{ orderId: id, userId: victim.customer.id, paymentId: randomUUID(), amountCents: 1000 },
        ...{ currency: 'EUR', attempts: 1 },
      };
      const type = 'payments.payment-captured.v1';
      const headers = {
        ...{ ce_specversion: '1.0', ce_id: randomUUID(), ce_source: '/modules/payments', ce_type: type },
        ...{
          ce_subject: id,
          ce_time: new Date().toISOString(),
          ce_sequence: '1',
          ce_correlationid: randomUUID(),
        },
        'content-type': 'application/json',
      };
      const [h, v] = [JSON.stringify(headers), JSON.stringify(data)];
      const record = JSON.stringify([{ p: crc32(id) % 6, k: id, h: headers, v }]);
      const ways: readonly [sql: string, values: unknown[]][] = [
        [`SELECT banyan_log.append(id, $1) FROM banyan_log.topic WHERE name = 'payments.events'`, [record]],
        ['SELECT banyan_log.append(n, $1) FROM generate_series(1, 20) n', [record]],
        [`SELECT banyan_log.append('payments.events', $1)`, [record]],
        [
          `INSERT INTO banyan_log.record (topic, partition, "offset", key, headers, value)
           SELECT id, $1, 1000000, $2, $3, $4 FROM banyan_log.topic WHERE name = 'payments.events'`,
          [crc32(id) % 6, id, h, v],
        ],
        ['SELECT media.emit_event($1, $2, $3, $4, $5)', [randomUUID(), 'payments.events', id, type, v]],
        [`UPDATE orders.orders SET status = 'confirmed' WHERE id = $1`, [id]],
        [`INSERT INTO orders.event_delivery SELECT * FROM orders.event_delivery`, []],
        // To its own topic it may say what it likes; nobody takes it for payments.
        ['SELECT media.emit_event($1, $2, $3, $4, $5)', [randomUUID(), 'media.events', id, type, v]],
      ];
      // One that is taken is enough, and what comes after it would only blur what it did.
      for (const [sql, values] of ways) if (await thief.sql(sql, values).catch(() => undefined)) break;
      return eventually(async () => {
        const { body } = await victim.shop.call('GET', `/api/orders/${id}`, { token: victim.customer.token });
        if (body.status === 'placed') throw new Error('it is not over');
        return body.status === 'confirmed' ? 'it is confirmed' : undefined;
      }, 40_000);
    },
  },
];
