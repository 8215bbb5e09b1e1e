// Bytes by operation, and values by their bytes alone.
import { describe, expect, it } from 'vitest';
import { closed, nothing, operation } from '../contract/contract.ts';
import { id, prose } from '../contract/fields.ts';
import { Type } from '../contract/type.ts';
import { hasTooManyValues } from '../contract/value-count.ts';
import { bodyLimitOf, JSON_BODY_LIMIT } from './limits.ts';

const of = (fields: Parameters<typeof closed>[0], more: object = {}) =>
  operation({
    summary: 'Something',
    access: 'public',
    input: closed(fields),
    output: Type.Null(),
    idempotent: true,
    ...more,
  });

describe('the limit of a body', () => {
  it('is 64 kB where nothing asks for more, and where nothing is known', () => {
    expect(bodyLimitOf(undefined)).toBe(JSON_BODY_LIMIT);
    expect(bodyLimitOf(of(nothing.properties))).toBe(JSON_BODY_LIMIT);
    expect(bodyLimitOf(of({ data: Type.Unknown() }))).toBe(JSON_BODY_LIMIT);
  });
  it('is what a valid input may take, where that is more', () => {
    expect(bodyLimitOf(of({ text: prose({ maxLength: 10_000 }) }))).toBeGreaterThan(120_000);
    expect(bodyLimitOf(of({ ids: Type.Array(id(), { maxItems: 1000 }) }))).toBeGreaterThan(216_000);
  });
  it('is what the contract says for free data', () => {
    expect(bodyLimitOf(of({ data: Type.Unknown() }, { maxBodyBytes: 500_000 }))).toBe(500_000);
    expect(bodyLimitOf(of({ data: Type.Unknown() }, { maxBodyBytes: 5 }))).toBe(JSON_BODY_LIMIT);
  });
  it('is the file and what stands around it, for an upload', () => {
    const upload = { field: 'file', maxBytes: 1_000_000 };
    expect(bodyLimitOf(of({}, { upload }))).toBe(1_000_000 + 64 * 1024);
  });
});

describe('values, counted', () => {
  const crowded = (value: unknown, most = 10) => hasTooManyValues(Buffer.from(JSON.stringify(value)), most);

  it('are items, members and what holds them', () => {
    expect(crowded(Array(10).fill('a long enough text'))).toBe(false);
    expect(crowded(Array(12).fill('a long enough text'))).toBe(true);
    expect(crowded(Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`name${n}`, n])))).toBe(true);
    expect(crowded(Array(12).fill({}))).toBe(true);
  });
  it('are not what stands in texts', () => {
    expect(crowded(','.repeat(1000))).toBe(false);
    expect(crowded({ 'a,[{"\\': '[{,"\\,[{' })).toBe(false);
    expect(crowded(['"'.repeat(1000), '\\'.repeat(1000), ',,,,,,,,,,,,,,'])).toBe(false);
  });
  it('are told of text that never ends', () => {
    expect(hasTooManyValues(Buffer.from(`"${'a'.repeat(100)}`), 10)).toBe(false);
    expect(hasTooManyValues(Buffer.from('['.repeat(100)), 10)).toBe(true);
  });
});
