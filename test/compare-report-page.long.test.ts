// report.html in a real Chromium, on a phone, a tablet and a desk, light, dark and on paper: nothing is fetched, nothing
// is complained of, nothing runs over the edge, and every number of the report is there to be read.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../compare/format/report.ts';
import { bytes, count, digits, off, percent } from '../compare/report/elements/numbers.ts';
import { htmlReport } from '../compare/report/html.ts';
import { findChromium } from './chromium.ts';
import { fullReport, quickReport } from './compare-report.fixture.ts';

const chromium = await findChromium();
if (chromium.path === undefined) console.warn(`left out: report.html in a browser (${chromium.why})`);

const PAGES = { full: fullReport(), quick: quickReport() };
/** Only drawn: hundreds of points, which the page carries as data. */
const DRAWN = ['curve', 'timeline'];

describe.skipIf(chromium.path === undefined)('report.html in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-report-'));
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    for (const [name, report] of Object.entries(PAGES))
      writeFileSync(join(folder, `${name}.html`), htmlReport(report));
    browser = await puppeteer.launch({
      executablePath: chromium.path!,
      args: ['--no-sandbox'],
      timeout: 110_000,
    });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    page = await browser.newPage();
    complaints = [];
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (
        !request.url().startsWith('data:') &&
        request.url() !== page.url() &&
        !request.isNavigationRequest()
      )
        complaints.push(`asked for ${request.url()}`);
    });
    return async () => page.close();
  });

  const open = (name: string) => page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
  /** An expression of the page's own language, answered there. */
  const look = <T>(expression: string) => page.evaluate(expression) as Promise<T>;
  const paper = () => look<string>('getComputedStyle(document.body).backgroundColor');
  const words = () => look<string>('document.body.innerText');
  const overTheEdge = () =>
    look<string[]>(`[...document.querySelectorAll('main *')]
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.wide, .hidden'))
      .map((one) => one.tagName + ' ' + one.textContent.slice(0, 40))`);

  for (const name of Object.keys(PAGES)) {
    for (const scheme of ['light', 'dark'])
      for (const width of [360, 900, 1400])
        test(`${name}, ${scheme}, ${width} wide`, async () => {
          await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
          await page.setViewport({ width, height: 900 });
          await open(name);
          expect(await overTheEdge()).toEqual([]);
          expect(complaints).toEqual([]);
          expect(await paper()).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 24, 28)');
        });

    test(`${name} on paper: white, also in the dark, and nothing cut off`, async () => {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
      await page.emulateMediaType('print');
      // A4 less its margins, at 96 dots an inch.
      await page.setViewport({ width: 718, height: 1000 });
      await open(name);
      const cut = await look<string[]>(`[...document.querySelectorAll('.wide')]
        .filter((one) => one.scrollWidth > one.clientWidth + 1)
        .map((one) => one.getAttribute('aria-label'))`);
      expect([...(await overTheEdge()), ...cut]).toEqual([]);
      expect(await paper()).toBe('rgb(255, 255, 255)');
    });

    test(`${name}: every number can be read, and the report is in the page`, async () => {
      await open(name);
      const report: Report = PAGES[name as keyof typeof PAGES];
      const text = (await words()).replaceAll(/\s+/g, ' ');
      expect(numbersOf(report).filter(({ value, index }) => !readable(value, index, text))).toEqual([]);
      const inside = await look<string>("document.getElementById('report').textContent");
      expect(JSON.parse(inside)).toEqual(report);
    });

    test(`${name}: every chart says in words what it shows`, async () => {
      await open(name);
      const charts = await look<{ role: string; words: string[] }[]>(`[...document.querySelectorAll('svg')]
        .filter((svg) => svg.getAttribute('aria-hidden') !== 'true')
        .map((svg) => ({
          role: svg.getAttribute('role'),
          words: svg.getAttribute('aria-labelledby').split(' ').map((id) => document.getElementById(id)?.textContent ?? ''),
        }))`);
      expect(charts.length).toBeGreaterThan(name === 'full' ? 10 : 5);
      for (const { role, words } of charts) {
        expect(role).toBe('img');
        expect(words.every((one) => one.length > 0)).toBe(true);
      }
      const ids = await look<string[]>("[...document.querySelectorAll('[id]')].map(({ id }) => id)");
      expect(new Set(ids).size).toBe(ids.length);
    });
  }

  test('what a server said stays text', async () => {
    await open('full');
    expect(PAGES.full.measured.b.failureExamples[0]).toContain('<script>');
    expect(await look<number>("document.querySelectorAll('script').length")).toBe(1);
    expect(await words()).toContain('<script>alert(1)</script>');
  });
});

interface Numbered {
  readonly path: string;
  readonly value: number;
  /** Counted from 0 in the report, from 1 for people. */
  readonly index: boolean;
}

function numbersOf(value: unknown, path = ''): Numbered[] {
  if (typeof value === 'number') return [{ path, value, index: /\/(index|pair)$/.test(path) }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    DRAWN.includes(key) || key === 'formatVersion' ? [] : numbersOf(one, `${path}/${key}`),
  );
}

function readable(value: number, index: boolean, text: string): boolean {
  const forms = index
    ? [String(value + 1)]
    : [digits(value), count(value), String(value), percent(value), bytes(value), off(value)];
  // As a number of its own, not as a part of a longer one.
  return forms.some((form) =>
    new RegExp(`(?<![\\d.,])${form.replaceAll(/[+>.]/g, '\\$&')}(?![.,]?\\d)`).test(text),
  );
}
