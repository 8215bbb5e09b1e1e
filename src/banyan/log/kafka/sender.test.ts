// A producer that met a fatal error is not used again: the next send has a new one, with a new identity.

import type { Kafka } from 'kafkajs';
import { expect, test } from 'vitest';
import { Sender } from './sender.ts';

function kafkaThatFails(type: string) {
  const made: { sends: number; disconnected: boolean }[] = [];
  const kafka = {
    producer() {
      const one = { sends: 0, disconnected: false };
      made.push(one);
      const first = made.length === 1;
      return {
        connect: async () => {},
        async send() {
          one.sends += 1;
          if (first) throw Object.assign(new Error('refused by the broker'), { type });
        },
        async disconnect() {
          one.disconnected = true;
        },
      };
    },
  };
  return { made, kafka: kafka as unknown as Kafka };
}

const records = [{ key: 'a', headers: {}, value: '1' }];

test.each(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH'])(
  'after %s the producer is made anew',
  async (type) => {
    const { kafka, made } = kafkaThatFails(type);
    const sender = new Sender(kafka);
    await expect(sender.send('t', records)).rejects.toThrow('refused by the broker');
    expect(made).toEqual([{ sends: 1, disconnected: true }]);
    await sender.send('t', records);
    await sender.send('t', records);
    expect(made).toEqual([
      { sends: 1, disconnected: true },
      { sends: 2, disconnected: false },
    ]);
    await sender.close();
  },
);
