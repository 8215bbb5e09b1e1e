import { describe, expect, test } from 'vitest';
import { connectionLimits, shortOf } from './connection-limits.ts';

const sum = (limits: Record<string, number>) => Object.values(limits).reduce((all, one) => all + one, 0);

describe('the limits of all roles', () => {
  const needs = { a: 7, b: 19, c: 6 };

  test('are what each needs and a part of the rest, and stay below what the server takes', () => {
    const limits = connectionLimits(needs, 100);
    for (const [role, needed] of Object.entries(needs)) expect(limits[role]).toBeGreaterThan(needed);
    expect(sum(limits)).toBeLessThan(100);
    expect(shortOf(needs, 100)).toBe(0);
  });

  test('are what each needs where the server has less, and it is said how much is missing', () => {
    expect(connectionLimits(needs, 30)).toEqual(needs);
    expect(shortOf(needs, 30)).toBe(10);
  });

  test('are met of what is only claimed after all that is needed, and stay below what the server takes', () => {
    expect(connectionLimits(needs, 60, { b: 12 })).toEqual({ a: 9, b: 33, c: 8 });
    const limits = connectionLimits(needs, 60, { b: 1200 });
    expect([limits.a, limits.c]).toEqual([needs.a, needs.c]);
    expect(sum(limits)).toBe(52);
    expect(connectionLimits(needs, 30, { b: 1200 })).toEqual(needs);
  });
});
