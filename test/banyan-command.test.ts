// `banyan` as it is put together here: every command under one help, and what `status` proposes of this shop.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { banyan, shop } from '../bin/commands.ts';
import { moduleNames } from '../src/banyan/config/environment.ts';
import { shopApp } from '../src/shop.ts';

async function said(words: readonly string[], env: Record<string, string> = {}) {
  const text = { out: '', err: '' };
  const output = (name: 'out' | 'err') => ({
    isTerminal: false,
    write: (more: string) => {
      text[name] += more;
    },
  });
  const interrupted = new AbortController().signal;
  const code = await banyan(words, { env, out: output('out'), err: output('err'), interrupted });
  return { code, ...text };
}

test('the help lists the commands of every Banyan, of the shop and of the tools, docs as the last', async () => {
  const { code, out } = await said(['--help']);
  expect(code).toBe(0);
  const [, listed, examples] = out.split(/\nCommands:\n|\nExamples:\n/) as [string, string, string];
  expect(listed.match(/^ {2}\w+/gm)!.map((name) => name.trim())).toEqual(
    'status doctor extract place restore deploy history flags ladder store logs events verify keys operators saga compare affected contract docs'.split(
      ' ',
    ),
  );
  expect(examples).toMatch(/^ {2}banyan status {27}where every/);
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test.each(['saga show', 'compare', 'compare diff', 'affected', 'contract diff'])(
  '%s has a help of its own',
  async (command) => {
    const { code, out } = await said([...command.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: banyan ${command}`);
  },
);

test('status proposes orders first, and a request that a module of the shop answers', async () => {
  const modules = moduleNames(shopApp).map((module) => ({
    module,
    placement: 'in-process',
    instances: [],
    changedAt: '2026-01-01T00:00:00Z',
    changedBy: 'somebody',
  }));
  const overview = { version: 1, monolith: { pid: 1 }, monoliths: [], modules };
  const server = createServer(({ url }, response) => {
    const isThere = url === '/admin/placements';
    response.writeHead(isThere ? 200 : 404).end(isThere ? JSON.stringify(overview) : '');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { out } = await said(['status'], { BANYAN_URL: url, ADMIN_TOKEN: 'any' });
  const proposed = out.slice(out.indexOf('Try next'));
  expect(proposed).toMatch(/^Try next\n {4}npx banyan extract orders {2}into a service/);
  expect(proposed).toContain(`curl -i '${url}/api/catalog/products?limit=1'`);
});

test('what is suggested is there', () => {
  const { extractFirst, extractNever, request } = shop.suggestions;
  expect(moduleNames(shopApp)).toEqual(
    expect.arrayContaining([extractFirst, extractNever, request!.split('/')[2]]),
  );
});
