// `npm run console:pictures`: what docs/console.md and the README show of the console, taken from a shop that runs: the overview,
// a ladder that came down, a dead letter that is tried, and a film of a flip. The requests, the faults and every figure are
// real: docs/console-{overview,demotion,letter}-{light,dark}.png and docs/console-flip.svg. It takes two to five minutes; names
// after it (`-- letter flip`) take these alone.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import puppeteer, { type CDPSession, type Page } from 'puppeteer-core';
import sharp from 'sharp';
import { findChromium } from '../test/chromium.ts';
import { type DefectiveShop, openDefectiveShop } from '../test/defects/shop.ts';
import { setDefects } from '../test/defects/switch.ts';
import { CustomersAtWork } from './console-load.ts';
import { drawFilm, type Frame } from './film.ts';

const WIDTH = 1200;
/** Of the film: to the lower edge of the drawing. */
const FILM_HEIGHT = 620;
const SCHEMES = ['light', 'dark'] as const;
/** For what the machine may be slow at; nothing here measures it. */
const PATIENCE_MS = 120_000;
/** What the figures of a page look back on, and a little. */
const FIGURES_MS = 14_000;
/** So much slower the box crosses while it is filmed, so that there is time to take it; the film has the page's pace. */
const SLOWER = 8;
const FLIP = /flip over orders: in-process → service; failed during this flip: 0/;

/** How far the box of orders is on its way, from 0 to 1. */
const FAR = `(() => {
  const box = [...document.querySelectorAll('.token')].find((one) => one.querySelector('.name').textContent === 'orders');
  const [from, to] = [...document.querySelectorAll('.ghost')]
    .filter((one) => one.textContent === 'orders').map((one) => Number(one.querySelector('rect').getAttribute('x')));
  return (new DOMMatrix(getComputedStyle(box).transform).e - from) / (to - from);
})()`;

const docs = (name: string) => fileURLToPath(new URL(`../docs/console-${name}`, import.meta.url));
/** As the browser finds it. */
const heading = (text: string) =>
  `[...document.querySelectorAll('main h2')].find((one) => one.textContent === ${JSON.stringify(text)})`;
const press = (page: Page, name: string) =>
  page.locator(`::-p-aria([name="${name}"][role="button"])`).setTimeout(PATIENCE_MS).click();
/** What the page shows comes to fit. */
async function reads(page: Page, what: RegExp): Promise<void> {
  const fits = `(${what}).test(document.querySelector('main')?.innerText ?? '')`;
  await page.waitForFunction(fits, { timeout: PATIENCE_MS, polling: 100 }).catch(async (error: unknown) => {
    const shown = await page.evaluate(`document.querySelector('main')?.innerText`);
    throw new Error(`${what} is not in: ${shown}`, { cause: error });
  });
}

const chromium = await findChromium();
if (chromium.path === undefined) {
  process.stderr.write(`${chromium.why}. Set PUPPETEER_EXECUTABLE_PATH, or: apt-get install chromium\n`);
  process.exit(1);
}
const wanted = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: chromium.path,
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
  timeout: PATIENCE_MS,
  protocolTimeout: PATIENCE_MS,
});
const shop = await openDefectiveShop(AbortSignal.timeout(PATIENCE_MS)).catch(async (error: unknown) => {
  await browser.close();
  throw error;
});
const customers = new CustomersAtWork(shop);
try {
  const page = await signedIn(shop);
  const takes = { letter, flip, overview, demotion };
  for (const [name, take] of Object.entries(takes))
    if (wanted.length === 0 || wanted.includes(name)) await take(page);
} finally {
  const { answered, failed } = await customers.stop();
  process.stdout.write(`${answered} requests answered; failed: ${failed.join(', ') || 'none'}\n`);
  await browser.close();
  await shop.stop();
}

async function signedIn({ url, adminToken }: DefectiveShop): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await look(page, 'light');
  await page.goto(`${url}/console`);
  await page.locator('::-p-aria([name="Name"][role="textbox"])').fill('ada');
  await page.locator('input[name="token"]').fill(adminToken);
  await press(page, 'Sign in');
  await page.waitForSelector('nav[aria-label="Views"]');
  return page;
}

async function look(page: Page, scheme: (typeof SCHEMES)[number], scale = 1.5): Promise<void> {
  await page.setViewport({ width: WIDTH, height: 900, deviceScaleFactor: scale });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
}

/** Without the gutter of a scrollbar that is not drawn. */
function widthOf(page: Page): Promise<number> {
  return page.evaluate('Math.round(document.body.getBoundingClientRect().right)') as Promise<number>;
}

/** In both schemes, from the top down to above this heading. */
async function takePictures(page: Page, name: string, until: string): Promise<void> {
  for (const scheme of SCHEMES) {
    await look(page, scheme);
    await page.evaluate('document.activeElement?.blur()');
    await page.mouse.move(WIDTH - 2, 300);
    await pause(500);
    const height = (await page.evaluate(`(${until}).getBoundingClientRect().top + scrollY - 12`)) as number;
    const clip = { x: 0, y: 0, width: await widthOf(page), height: Math.round(height) };
    const shot = await page.screenshot({ clip, captureBeyondViewport: true });
    const file = docs(`${name}-${scheme}.png`);
    // Text and plain areas: 64 colours look the same at a quarter of the size.
    const { size } = await sharp(shot).png({ palette: true, colours: 64, effort: 10 }).toFile(file);
    process.stdout.write(`${file} ${Math.round(size / 1000)} kB\n`);
  }
  await look(page, 'light');
}

/** With orders as a service, and everybody at work. */
async function overview(page: Page): Promise<void> {
  customers.start();
  await shop.admin('PUT', '/admin/services/orders', { instances: 2 });
  await shop.admin('PUT', '/admin/placements/orders', { placement: 'service' });
  await page.goto(`${shop.url}/console`);
  await reads(page, /orders-2 healthy/);
  await pause(FIGURES_MS);
  await takePictures(page, 'overview', heading('Processes'));
}

/** A service of catalog that begins to fail one request in a hundred while half of them are its. */
async function demotion(page: Page): Promise<void> {
  customers.start();
  setDefects(shop.dataDir, {});
  await shop.admin('PUT', '/admin/services/catalog', { instances: 1 });
  await page.goto(`${shop.url}/console/modules/catalog`);
  await reads(page, /catalog-1 healthy/);
  await pause(3_000);
  await shop.admin('PUT', '/admin/ladders/catalog', { steps: [50, 100], minSeconds: 300, minRequests: 300 });
  await reads(page, /ladder running catalog at 50 %/);
  await pause(FIGURES_MS);
  setDefects(shop.dataDir, { catalog: 'errors' });
  await reads(page, /ladder demoted catalog came down from/);
  setDefects(shop.dataDir, {});
  const { reason } = await shop.admin('GET', '/admin/ladders/catalog');
  process.stdout.write(`demoted: ${reason}\n`);
  await pause(3_000);
  await takePictures(page, 'demotion', heading('Logs'));
}

/** A rule that somebody gave the table is broken by an order for many, and is gone by the time that somebody looks. */
async function letter(page: Page): Promise<void> {
  const rule = 'reservations_at_most_ten';
  const table = 'ALTER TABLE catalog.reservations';
  const broken = `(lines->0->>'quantity')::int <= 10 OR state <> 'reserved'`;
  await sql(`${table} ADD CONSTRAINT ${rule} CHECK (${broken}) NOT VALID`);
  const { status, body } = await shop.ask({
    ...{ method: 'POST', path: '/api/orders', token: shop.customer.token },
    headers: { 'idempotency-key': randomUUID() },
    body: { lines: [{ productId: shop.product, quantity: 12 }], paymentToken: 'tok_ok' },
  });
  if (status !== 202) throw new Error(`no order: ${status} ${JSON.stringify(body)}`);
  await page.goto(`${shop.url}/console/dead`);
  await reads(page, /orders\.order-placed\.v1/);
  await sql(`${table} DROP CONSTRAINT ${rule}`);
  await page.locator('::-p-aria([name="orders.order-placed.v1"][role="link"])').click();
  await press(page, 'Try');
  await reads(page, /It would (work|fail)|Not known/);
  await takePictures(page, 'letter', heading('Attempts'));
}

/** The box crosses after the dialog's Extract, and what failed is counted. */
async function flip(page: Page): Promise<void> {
  customers.start();
  await page.goto(`${shop.url}/console`);
  await look(page, 'light', 1);
  await reads(page, /Processes/);
  await pause(FIGURES_MS);
  const frames: Frame[] = [];
  const clip = { x: 0, y: 0, width: await widthOf(page), height: FILM_HEIGHT };
  const take = async (seconds: number) =>
    void frames.push({ seconds, png: Buffer.from(await page.screenshot({ clip })) });
  await take(2);
  await press(page, 'Extract orders');
  await page.waitForSelector('[role="dialog"]');
  await take(2.5);
  const cdp = await page.createCDPSession();
  await slower(cdp, SLOWER);
  await press(page, 'Extract');
  await page.waitForFunction(`!document.querySelector('[role="dialog"]')`);
  await reads(page, /extract (under way|done) orders/);
  await take(1.2);
  await crossing(page, take);
  await slower(cdp, 1);
  await reads(page, FLIP);
  await take(2.5);
  await pause(FIGURES_MS);
  await take(4);
  const film = await drawFilm(frames, {
    title: 'orders is extracted on the console, while requests run',
    about: `Recorded page: orders moves from one process to services after Extract, step by step; then it says: failed during this flip: 0.`,
  });
  writeFileSync(docs('flip.svg'), film);
  process.stdout.write(`${docs('flip.svg')} ${Math.round(film.length / 1000)} kB, ${frames.length} frames\n`);
  await look(page, 'light');
}

async function crossing(page: Page, take: (seconds: number) => Promise<void>): Promise<void> {
  for (const share of [0.08, 0.3, 0.55, 0.8, 1]) {
    await page.waitForFunction(`${FAR} >= ${share - 0.005}`, { timeout: PATIENCE_MS, polling: 50 });
    await take(share === 1 ? 1 : 0.2);
  }
}

async function slower(cdp: CDPSession, times: number): Promise<void> {
  await cdp.send('Animation.enable');
  await cdp.send('Animation.setPlaybackRate', { playbackRate: 1 / times });
}

async function sql(statement: string): Promise<void> {
  const client = new Client({ connectionString: shop.databaseUrl });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
