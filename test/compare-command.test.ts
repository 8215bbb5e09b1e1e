// `banyan compare` with what it cannot do: refused at once, with the next step, before anything is started.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { banyan } from '../bin/commands.ts';
import { parseTopology } from '../compare/topology/syntax.ts';

const folder = mkdtempSync(join(tmpdir(), 'compare-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function compare(...words: string[]) {
  const text = { out: '', err: '' };
  const output = (name: 'out' | 'err') => ({
    isTerminal: false,
    write: (more: string) => {
      text[name] += more;
    },
  });
  const code = await banyan(['compare', ...words], {
    env: { DATA_DIR: join(folder, 'data') },
    out: output('out'),
    err: output('err'),
    interrupted: new AbortController().signal,
  });
  return { code, ...text };
}

describe('bad input', () => {
  test.each([
    [['--extract', 'shipping'], /"shipping" names no module of catalog, /, /services:orders/],
    [['--b', 'microservices'], /"microservices" is no shape/, /monolith, services, services:orders/],
    [['--b', 'services:orders x99'], /1 to 16 processes, not 99/, /services:orders/],
    [['--b', 'services:orders; orders x2'], /orders is named twice/, /services:orders/],
    [['--work', 'shopping'], /"shopping" is no built-in work/, /browse, checkout, media, mixed/],
    [['--work', 'none.json'], /There is no file/, /--work my\.json/],
    [['--rounds', '1'], /whole number from 6 to 60/, /compare --help/],
    [['--rate', '0'], /whole number from 1/, /compare --help/],
    [['--log', 'rabbitmq'], /postgres or kafka/, /compare --help/],
    [['--quick', '--full'], /exclude one another/, /compare --help/],
    [['--self', '--b', 'services'], /compares a with itself/, /compare --help/],
    [['--extract', 'orders', '--b', 'services'], /both say/, /compare --help/],
  ])('%j', async (words, detail, next) => {
    const { code, out, err } = await compare(...words);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(detail);
    expect(err).toMatch(next);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test('a work file with mistakes: each with its line', async () => {
    const file = join(folder, 'my.json');
    writeFileSync(file, '{ "name": "mine",\n  "kinds": {\n    "a": { "share": 1, "request": "GOT /" } } }');
    const { code, err } = await compare('--work', file);
    expect(code).toBe(1);
    expect(err).toContain('my.json:3 /kinds/a/request');
  });

  test('no place for the report', async () => {
    const file = join(folder, 'taken');
    writeFileSync(file, '');
    const { code, err } = await compare('--out', join(file, 'report'));
    expect(code).toBe(1);
    expect(err).toContain('cannot be written');
    expect(err).toContain('--out DIR');
    // Node's recursive mkdir would try this one for ever.
    expect((await compare('--out', '/proc/nowhere/report')).err).toContain('/proc/nowhere');
  });

  test('as JSON it is a problem', async () => {
    const { out } = await compare('--work', 'shopping', '--json');
    expect(JSON.parse(out)).toMatchObject({ code: 'work-unknown', next: expect.any(String) });
  });

  test('nothing was made on the way', () => {
    expect(existsSync(join(folder, 'data'))).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['my.json', 'taken']);
  });
});

describe('shapes', () => {
  const modules = ['catalog', 'media', 'orders'];
  test.each([
    ['monolith', 'monolith', {}],
    ['services', 'all as services', { catalog: 1, media: 1, orders: 1 }],
    ['services:orders', 'orders extracted', { orders: 1 }],
    ['services: orders; catalog x2', 'catalog x2, orders extracted', { catalog: 2, orders: 1 }],
    ['services:orders,media', 'media, orders extracted', { media: 1, orders: 1 }],
  ])('%s', (text, label, services) => {
    const topology = parseTopology(text, modules);
    expect(topology.label).toBe(label);
    expect(Object.fromEntries(topology.services)).toEqual(services);
  });
});
