// The quick encoder writes the bytes that kafkajs' own writes: each value first by the original.
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { quickenEncoder } from './encoder.ts';

const require = createRequire(import.meta.url);
const Encoder = require('kafkajs/src/protocol/encoder');
const record = require('kafkajs/src/protocol/recordBatch/record/v0');

const lengths = [0, 1, 63, 64, 127, 128, 16_383, 16_384, 2 ** 21, 2 ** 28, 2 ** 31 - 1, -1, -64, -(2 ** 31)];
const longs = [0, 1, 63, 64, 8_191, 8_192, 2 ** 30 - 1, 2 ** 30, 2 ** 40, Date.now(), -1, -(2 ** 40)];
const records = [
  { offsetDelta: 0, timestampDelta: 0, key: 'k', value: 'v', headers: {} },
  { offsetDelta: 999, timestampDelta: 12_345, key: null, value: null, headers: { a: 'b' } },
  {
    offsetDelta: 70_000,
    timestampDelta: 2 ** 33,
    key: Buffer.from('ä€😀'),
    value: 'ä€😀'.repeat(5_000),
    headers: { ce_id: '0'.repeat(36), long: 'x'.repeat(700), twice: ['1', '2'] },
  },
];

function written(): string[] {
  const encoded = [
    ...lengths.map((n) => new Encoder().writeVarInt(n)),
    ...longs.map((n) => new Encoder().writeVarLong(n)),
    ...records.map((one) => record(one)),
    // Every size at which a buffer may have to grow, reached in one step and in two.
    ...Array.from({ length: 1_100 }, (_, n) => new Encoder().writeVarIntBytes('x'.repeat(n))),
    ...Array.from({ length: 1_100 }, (_, n) =>
      new Encoder().writeString('y'.repeat(30)).writeInt8(1).writeBytes('x'.repeat(n)),
    ),
  ];
  return [
    ...encoded.map((one) => one.buffer.toString('hex')),
    ...longs.map((n) => `${Encoder.sizeOfVarLong(n)}`),
  ];
}

test('the bytes are the same', () => {
  const before = written();
  quickenEncoder();
  expect(written()).toEqual(before);
});
