// Traces, events, the audit and comparisons, as a person uses them. The tool that compares is one that takes a second.
import type { Page } from 'puppeteer-core';
import { beforeAll, expect, test } from 'vitest';
import { type Customer, clientOf, type Shop } from '../shop.ts';
import { axe, onStage, overTheEdge, picture } from './stage.ts';

const text = (page: Page) => page.evaluate('document.querySelector("main").innerText') as Promise<string>;
const says = (page: Page, words: string) =>
  page.waitForFunction(`document.querySelector('main')?.innerText.includes(${JSON.stringify(words)})`, {
    timeout: 20_000,
  });
const click = (page: Page, name: string, role: string) =>
  page.locator(`::-p-aria([name="${name}"][role="${role}"])`).click();

/** Light and dark, at three widths: nothing that axe finds, nothing over the edge. */
async function looksWell(page: Page, name: string, schemes = ['light', 'dark']): Promise<void> {
  for (const scheme of schemes) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    expect(await axe(page), scheme).toEqual([]);
    for (const width of [360, 800, 1400]) {
      await page.setViewport({ width, height: 900 });
      expect(await overTheEdge(page), `${width}`).toEqual([]);
      await picture(page, `${name}-${scheme}-${width}`);
    }
  }
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
}

onStage(
  'what is asked over all hosts',
  (stage) => {
    let shop: Shop;
    let customer: Customer;
    let productId: string;
    beforeAll(async () => {
      shop = clientOf(stage().shop);
      customer = await shop.customer();
      productId = (await shop.product({ stock: 100 })).id;
    });

    test('an order is found by its id, from the request to the mail, and the link shows it again', async () => {
      await stage().admin('GET', '/admin/traces');
      const { id } = await shop.order(customer, [{ productId, quantity: 1 }]);
      await shop.final(customer, id);
      const page = await stage().signedIn('/traces');
      await page.locator('input[name="key"]').fill(id);
      await page.waitForFunction(
        `location.search === '?key=${id}' && document.querySelectorAll('tbody tr').length > 0`,
      );
      await says(page, 'POST /api/orders');
      await picture(page, 'traces');
      await click(page, 'POST /api/orders', 'link');
      await says(page, 'handle orders.order-placed.v1');
      const shown = await text(page);
      for (const part of [
        'POST /api/orders',
        'catalog/priceProducts',
        'outbox orders.order-placed.v1',
        'in the log',
      ])
        expect(shown).toContain(part);
      expect(shown).not.toContain('missing of it');
      expect(await page.$('tr.gone')).toBeNull();
      await click(page, 'catalog/priceProducts', 'button');
      await says(page, 'rpc.method');
      await looksWell(page, 'trace');
      await page.reload();
      await says(page, 'rpc.method');
      // To the saga, and back to all that has its id.
      await says(page, `Saga ${id} of orders`);
      await click(page, id, 'link');
      await says(page, 'What happened');
      expect(new URL(page.url()).pathname).toBe(`/console/sagas/${id}`);
      await click(page, 'All traces with this id', 'link');
      await page.waitForFunction(`location.search === '?key=${id}'`);
      expect(new URL(page.url()).pathname).toBe('/console/traces');
    });

    test('the catalogue says who listens; what is published arrives while one looks', async () => {
      const page = await stage().signedIn('/events?module=orders');
      await says(page, 'orders.order-placed.v1');
      await says(page, 'listening');
      await click(page, 'orders.order-placed.v1', 'link');
      await says(page, 'JSON Schema');
      expect(await text(page)).toContain('catalog');
      const { id } = await shop.order(customer, [{ productId, quantity: 1 }]);
      await says(page, id);
      await looksWell(page, 'events', ['light']);
    });

    test('a change is found by who made it', async () => {
      const page = await stage().signedIn('/audit');
      await shop.call('POST', '/admin/operators', {
        token: shop.adminToken,
        body: { name: 'linus', scopes: ['read'] },
        headers: { 'x-changed-by': '<b>grace</b>' },
      });
      await stage().admin('DELETE', '/admin/operators/linus');
      await page.locator('input[name="actor"]').fill('grace');
      await page.waitForFunction("location.search === '?actor=grace'");
      await says(page, 'added the operator linus');
      await page.waitForFunction(
        "!document.querySelector('main').innerText.includes('revoked the operator')",
      );
      expect(await text(page)).toContain('<b>grace</b>');
      await looksWell(page, 'audit', ['light']);
      await click(page, 'Show all', 'link');
      await says(page, 'revoked the operator linus');
      await says(page, 'placed in-process');
      await page.select('select[name="source"]', 'operator');
      await page.waitForFunction("location.search === '?source=operator'");
      await page.waitForFunction("!document.querySelector('main').innerText.includes('placed in-process')");
      await says(page, 'revoked the operator linus');
    });

    test('a comparison is started, and its report shown; another is cancelled', async () => {
      const page = await stage().signedIn('/compare');
      await click(page, 'Start a comparison…', 'button');
      await page.waitForSelector('[role="dialog"]');
      expect(await page.evaluate('document.querySelector("[role=dialog] .command code").textContent')).toBe(
        'banyan compare --a monolith --b services --work mixed --quick',
      );
      await picture(page, 'compare-start');
      await click(page, 'Start', 'button');
      await page.waitForSelector('iframe.report');
      const frame = await (await page.$('iframe.report'))!.contentFrame();
      await frame.waitForSelector('main svg');
      expect(await frame.evaluate('document.body.innerText')).toContain('monolith');
      await picture(page, 'compare-report');
      await page.goto(`${stage().url}/compare`);
      await click(page, 'Start a comparison…', 'button');
      await page.select('select[name="work"]', 'long');
      await click(page, 'Start', 'button');
      await says(page, 'prepare: two databases');
      await says(page, '<img src=x');
      await looksWell(page, 'compare-running');
      await click(page, 'Cancel comparison…', 'button');
      await page.waitForSelector('[role="dialog"]');
      await click(page, 'End it', 'button');
      await says(page, 'It was cancelled');
      await page.goto(`${stage().url}/compare`);
      await says(page, 'cancelled');
      await looksWell(page, 'compare', ['light']);
    });
  },
  { entry: 'test/console/quick-shop.ts' },
);
