// The console of a gateway alone, a second process beside the monolith: it shows and moves modules as a monolith's does, and
// says what it cannot show, since it has no module's store.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Launched, launch } from '../../stage/launch.ts';
import { axe, onStage, overTheEdge, picture } from './stage.ts';

const text = (page: Page) => page.$eval('main', (one) => (one as unknown as { innerText: string }).innerText);
const says = (page: Page, words: string) =>
  page.waitForFunction(`document.querySelector('main')?.innerText.includes(${JSON.stringify(words)})`, {
    timeout: 30_000,
  });
const press = (page: Page, name: string) =>
  page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
/** What it says of itself as it starts. */
const isOpen = /"PORT is open at (http:\S+?)"/;

onStage('the console of a gateway alone', (stage) => {
  let gateway: Launched;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'banyan-gateway-'));
    const env = { ...stage().shop.env, MODULES: 'none', DATA_DIR: folder, INSTANCE_ID: 'gateway-1' };
    gateway = launch({ env, says: (output) => isOpen.exec(output)?.[1] });
    await gateway.up();
  });
  afterAll(async () => {
    await gateway?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Signed in there. */
  async function there(view = ''): Promise<Page> {
    // The stage takes the monolith's for the only origin.
    stage().allow(new RegExp(`^asked for ${gateway.url}/`));
    const page = await stage().tab();
    await page.goto(`${gateway.url}/console${view}`);
    await page.waitForSelector('input[name="token"]');
    await stage().signIn(page);
    return page;
  }

  test('a module moves by it, and it says what it cannot show', async () => {
    const page = await there();
    await says(page, 'This host is a gateway alone.');
    await says(page, 'at the console of a monolith (monolith).');
    await says(page, 'Nothing is wrong as far as is known.');
    await says(page, 'Not known: dead letters, stuck sagas.');
    expect(await text(page)).not.toContain('could not be read');
    await picture(page, 'gateway-overview');
    expect(await axe(page)).toEqual([]);
    await press(page, 'Extract media');
    await press(page, 'Extract');
    await says(page, 'extract done media');
    await page.goto(`${gateway.url}/console/modules/media`);
    await says(page, 'media serves as a service');
    await says(page, 'shown by that one’s console');
    await picture(page, 'gateway-module');
    await press(page, 'Restore media');
    await press(page, 'Restore');
    await says(page, 'restore done media');
  });

  test('every view that it has works; of one that it lacks it says who may have it', async () => {
    const page = await there();
    const views = await page.$$eval('nav[aria-label="Views"] a', (all) =>
      all.map((one) => [one.textContent, (one as unknown as { href: string }).href]),
    );
    const names = views.map(([name]) => name);
    expect(names).toEqual(expect.arrayContaining(['Overview', 'Sagas', 'Traces', 'Moves', 'Audit']));
    for (const name of ['Events', 'Dead letters', 'Compare']) expect(names).not.toContain(name);
    for (const [name, url] of views) {
      await page.goto(url!);
      await page.waitForFunction(
        `document.title.startsWith(${JSON.stringify(`${name} · `)}) && document.querySelector('main table, main .empty')`,
      );
      expect(await page.$('[role="alert"]'), name!).toBeNull();
      expect(await overTheEdge(page), name!).toEqual([]);
    }
    await page.goto(`${gateway.url}/console/audit`);
    await says(page, 'orders, payments, users are not this gateway’s to ask');
    await page.goto(`${gateway.url}/console/dead`);
    await says(page, 'a gateway alone, has not what it shows');
  });
});
