// The limit of a body, from the schema: no valid value is longer, escaped as it may be, and what has no limit asks for
// nothing.
import { describe, expect, it } from 'vitest';
import { closed } from './contract.ts';
import { id, line, nullable, time } from './fields.ts';
import { longestJson } from './longest.ts';
import { Type } from './type.ts';

/** JSON with every character escaped. */
function escaped(value: unknown): string {
  const written = JSON.stringify(value, (_key, one) => one);
  return written.replace(/"((?:[^"\\]|\\.)*)"/g, (_all, text: string) => {
    const plain = JSON.parse(`"${text}"`) as string;
    const units = Array.from({ length: plain.length }, (_, at) => plain.charCodeAt(at));
    return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`;
  });
}

const uuid = '019b76da-a800-7000-8000-01a6aa00ffff';

describe('the longest JSON of a schema', () => {
  it.each([
    ['a text of characters that are two halves each', line({ maxLength: 50 }), '😀'.repeat(50)],
    ['an id', id(), uuid],
    ['a time to the nanosecond', time(), '2026-01-01T00:00:00.123456789+00:00'],
    ['an integer', Type.Integer({ minimum: 0 }), Number.MAX_SAFE_INTEGER],
    ['a number', Type.Number(), -1.7976931348623157e308],
    ['a choice', Type.Union([Type.Literal('a'), Type.Literal('longer')]), 'longer'],
    ['one of a list', Type.Unsafe({ type: 'string', enum: ['a', 'longer'] }), 'longer'],
    ['what may be null', nullable(id()), uuid],
    ['a yes or no', Type.Boolean(), false],
    [
      'an order of as many lines as it may have',
      closed({
        lines: Type.Array(closed({ productId: id(), quantity: Type.Integer() }), { maxItems: 100 }),
        paymentToken: line({ maxLength: 200 }),
      }),
      {
        lines: Array(100).fill({ productId: uuid, quantity: 1000 }),
        paymentToken: '😀'.repeat(200),
      },
    ],
  ])('is not shorter than %s', (_what, schema, value) => {
    expect(longestJson(schema)).toBeGreaterThanOrEqual(escaped(value).length);
  });

  it('is not much longer than that, either', () => {
    const schema = closed({ text: line({ maxLength: 1000 }) });
    expect(longestJson(schema)).toBeLessThan(escaped({ text: '😀'.repeat(1000) }).length + 100);
  });

  it('asks for nothing where a schema sets no limit', () => {
    for (const schema of [
      Type.Unknown(),
      Type.String(),
      Type.Object({}),
      Type.Record(Type.String(), Type.String({ maxLength: 1000 })),
      Type.Array(Type.Integer()),
    ])
      expect(longestJson(schema)).toBeLessThan(100);
  });
});
