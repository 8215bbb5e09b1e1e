// Work: files are refused with the line and the path of every mistake; recordings are the same for the same seed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Refusal } from '../compare/errors/refusal.ts';
import { builtinWorkloads, readWorkload } from '../compare/workload/read.ts';
import { record, type Stock } from '../compare/workload/record.ts';

const folder = mkdtempSync(join(tmpdir(), 'compare-work-'));
afterAll(() => rmSync(folder, { recursive: true }));
const modules = ['catalog', 'media', 'orders', 'users'];

function read(text: string) {
  const file = join(folder, 'my.json');
  writeFileSync(file, text);
  return readWorkload(file, modules);
}

function refusal(text: string): { path: string; message: string }[] {
  try {
    read(text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.errors.map(({ path, message }) => ({ path: path.replace(`${folder}/`, ''), message }));
  }
  throw new Error('the file was taken');
}

const stock: Stock = {
  products: Array.from({ length: 50 }, (_, index) => `p${index}`),
  pictures: ['m1', 'm2'],
  words: ['mug'],
  customers: ['token-1', 'token-2'],
  adminToken: 'admin',
};

describe('a work file', () => {
  test('the built-in ones are such files', () => {
    expect(builtinWorkloads()).toEqual(['browse', 'checkout', 'media', 'mixed']);
    for (const name of builtinWorkloads())
      expect(readWorkload(name, [...modules, 'payments']).name).toBe(name);
  });

  test('each mistake is named by its line and path', () => {
    const found = refusal(`{
  "name": "mine",
  "kinds": {
    "good": { "share": 1, "request": "GET /x" },
    "bad": {
      "share": 0,
      "request": "FETCH /x",
      "sahre": 3
    },
    "none": { "request": "GET /y" }
  }
}`);
    expect(found.map(({ path }) => path).toSorted()).toEqual([
      'my.json:10 /kinds/none',
      'my.json:6 /kinds/bad/share',
      'my.json:7 /kinds/bad/request',
      'my.json:8 /kinds/bad/sahre',
    ]);
    expect(found.find(({ path }) => path.includes('/none'))!.message).toBe('lacks share');
    expect(found.find(({ path }) => path.includes('sahre'))!.message).toBe('is no field of a work file');
  });

  test('what a schema cannot see is checked as well', () => {
    const found = refusal(`{ "name": "mine", "kinds": {
  "a": { "share": 1, "request": "GET /{colour}", "body": {} },
  "b": { "share": 1, "request": "POST /", "upload": "no-such.png" },
  "c": { "share": 1, "request": "GET /", "needs": ["shipping"] } } }`);
    expect(found).toEqual([
      { path: 'my.json:2 /kinds/a/request', message: 'is a GET, which has no body' },
      {
        path: 'my.json:2 /kinds/a/request',
        message: expect.stringContaining('has {colour}, which stands for nothing'),
      },
      { path: 'my.json:3 /kinds/b/upload', message: `is no file in ${folder}` },
      { path: 'my.json:4 /kinds/c/needs/0', message: expect.stringContaining('is no module') },
    ]);
  });

  test('what is no JSON is refused with the line', () => {
    expect(refusal('{\n  "name": "x",\n  "kinds": { oops }\n}')[0]).toEqual({
      path: 'my.json:3',
      message: 'is not JSON: invalid symbol',
    });
    expect(refusal('')).toHaveLength(1);
  });

  test('an unknown work names those there are', () => {
    expect(() => readWorkload('bowse', modules)).toThrow('"bowse" is no built-in work.');
    expect(() => readWorkload('gone.json', modules)).toThrow('There is no file');
  });
});

describe('a recording', () => {
  const options = { perSecond: 500, ms: 4000, seed: 1, run: 'pair-1' };
  const mixed = readWorkload('mixed', [...modules, 'payments']);

  test('the same seed makes the same requests, another one others', () => {
    const one = record(mixed, stock, options);
    expect(record(mixed, stock, options)).toEqual(one);
    expect(record(mixed, stock, { ...options, seed: 2 }).hash).not.toBe(one.hash);
    expect(record(mixed, stock, { ...options, run: 'pair-2' }).hash).not.toBe(one.hash);
  });

  test('shares, skew and moments are as asked for', () => {
    const { requests } = record(mixed, stock, options);
    expect(Math.abs(requests.length - 2000)).toBeLessThan(200);
    const of = (kind: string) => requests.filter((one) => one.kind === kind);
    expect(of('product').length / requests.length).toBeCloseTo(0.7, 1);
    expect(of('order').length / requests.length).toBeCloseTo(0.1, 1);
    const first = of('product').filter(({ path }) => path.endsWith('/p0')).length;
    // Zipf with exponent 1 over 50: the first is wanted in 22 % of cases, the tenth in 2.2 %.
    expect(first / of('product').length).toBeCloseTo(0.22, 1);
    expect(requests.every((one, index) => index === 0 || one.atMs >= requests[index - 1]!.atMs)).toBe(true);
  });

  test('orders have keys of their own, a customer, and are followed', () => {
    const orders = record(mixed, stock, options).requests.filter(({ kind }) => kind === 'order');
    expect(new Set(orders.map(({ headers }) => headers!['idempotency-key'])).size).toBe(orders.length);
    expect(orders[0]!.headers!.authorization).toMatch(/^Bearer token-[12]$/);
    expect(orders[0]!.until).toMatchObject({
      path: '/api/orders/{answer.id}',
      not: 'placed',
      wanted: 'confirmed',
    });
    expect(JSON.parse(orders[0]!.body!).lines[0].productId).toMatch(/^p\d+$/);
  });
});
