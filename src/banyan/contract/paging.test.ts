// Pages of a list: all of it, each item once, and what no list gave as a cursor is refused.
import { v7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import { defineContract } from './contract.ts';
import { type Cursors, pageOf } from './paging.ts';

const shelf = defineContract('shelf', {
  summary: 'For this test',
  errors: { 'bad-cursor': { status: 422, title: 'The cursor is not one that this list gave' } },
  operations: {},
});
const all = Array.from({ length: 45 }, () => ({ id: v7() })).sort((a, b) => a.id.localeCompare(b.id));
const find = async (after: string | undefined, limit: number) =>
  all.filter(({ id }) => after === undefined || id > after).slice(0, limit);
const page = (cursor?: string, limit?: number, cursors?: Cursors) =>
  pageOf(shelf, { cursor, limit }, find, cursors);

describe('a list', () => {
  test.each([1, 7, 15, 44, 45, 100])('in pages of %d is all of it, once', async (limit) => {
    const seen: { id: string }[] = [];
    let cursor: string | undefined;
    do {
      const { items, nextCursor } = await page(cursor, limit);
      expect(items.length).toBeLessThanOrEqual(limit);
      seen.push(...items);
      cursor = nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual(all);
  });

  test('has pages of 20 where nobody says otherwise', async () => {
    expect((await page()).items).toEqual(all.slice(0, 20));
  });

  test('that ends with its page has no next one', async () => {
    expect((await page(undefined, 45)).nextCursor).toBeNull();
    expect((await page(undefined, 44)).nextCursor).toBe(all[43]!.id);
  });

  test('writes its cursors as it likes', async () => {
    const upside: Cursors = {
      write: (id) => [...id].reverse().join(''),
      read: (cursor) => (cursor.includes('-') ? [...cursor].reverse().join('') : undefined),
    };
    const { nextCursor } = await page(undefined, 3, upside);
    expect((await page(nextCursor!, 2, upside)).items).toEqual(all.slice(3, 5));
    await expect(page('nonsense', 2, upside)).rejects.toMatchObject({ code: 'bad-cursor' });
  });

  test('refuses what it did not give', async () => {
    await expect(page('nonsense')).rejects.toMatchObject({ code: 'bad-cursor', status: 422 });
  });
});
