// Amounts in currencies whose digits differ, and above all where Intl's own are others than the standard's.
import { expect, test } from 'vitest';
import { minorDigits, money } from './money.ts';

const plain = (amount: number, currency: string) => money(amount, currency).replaceAll('\u00a0', ' ');

test.each([
  ['EUR', 123450, 'EUR 1,234.50'],
  ['EUR', 0, 'EUR 0.00'],
  ['EUR', 1_000_000_000_000, 'EUR 10,000,000,000.00'],
  ['JPY', 1250, 'JPY 1,250'],
  ['KWD', 1250, 'KWD 1.250'],
  ['CLF', 12500, 'CLF 1.2500'],
  ['UYW', 12500, 'UYW 1.2500'],
  ['CLP', 1250, 'CLP 1,250'],
  ['ISK', 1250, 'ISK 1,250'],
  ['XCG', 1250, 'XCG 12.50'],
  // Of these CLDR shows fewer digits than ISO 4217 has.
  ['HUF', 125000, 'HUF 1,250.00'],
  ['TWD', 1250, 'TWD 12.50'],
  ['IDR', 1250, 'IDR 12.50'],
  ['COP', 1250, 'COP 12.50'],
  ['PKR', 1250, 'PKR 12.50'],
  ['LAK', 1250, 'LAK 12.50'],
  ['MMK', 1250, 'MMK 12.50'],
  ['AFN', 1250, 'AFN 12.50'],
  ['MRU', 1250, 'MRU 12.50'],
  ['IQD', 1250, 'IQD 1.250'],
  // Nobody says what makes a whole one.
  ['XXX', 1250, 'XXX 1250 (minor units)'],
  ['XAU', 1250, 'XAU 1250 (minor units)'],
  ['QQQ', 1250, 'QQQ 1250 (minor units)'],
])('%s: %i is %s', (currency, amount, text) => {
  expect(plain(amount, currency)).toBe(text);
});

test('the whole table is read: 167 codes, each once', () => {
  const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
  const all = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)));
  expect(all.filter((code) => minorDigits(code) !== undefined)).toHaveLength(167);
});
