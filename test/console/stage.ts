// A shop with its console in a real Chromium, for the tests of the page: one shop and one browser per file. Guarantees: a test
// that leaves a word on the browser's console, breaks the page's policy, or has it ask any other host fails, and says what.
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { banyan } from '../../bin/commands.ts';
import { findChromium } from '../chromium.ts';
import { type ShopOptions, type StartedShop, startShop } from '../start-shop.ts';

const chromium = await findChromium();
if (chromium.path === undefined) console.warn(`left out: the console in a browser (${chromium.why})`);

export interface Stage {
  readonly shop: StartedShop;
  readonly browser: Browser;
  /** Where the console is, without a slash at its end. */
  readonly url: string;
  /** A tab that is watched; closed after the test. */
  tab(options?: TabOptions): Promise<Page>;
  /** A tab in which somebody has signed in, at this view (`/dead?module=x`). */
  signedIn(view?: string, options?: TabOptions): Promise<Page>;
  /** Signs in by the form that is shown, as a person does. */
  signIn(page: Page, as?: { name?: string; token?: string }): Promise<void>;
  /** What `/admin` answers to ADMIN_TOKEN. */
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks at it says itself
  admin<T = any>(method: string, path: string, body?: unknown): Promise<T>;
  /** What is said on the browser's console from here on may match one of these; until the test's end. */
  allow(...lines: readonly RegExp[]): void;
}

export interface TabOptions {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  /** Cookies of its own, as another person's browser. */
  readonly apart?: boolean;
}

/** Describes tests on one stage; left out where there is no Chromium. */
export function onStage(name: string, tests: (stage: () => Stage) => void, options: ShopOptions = {}): void {
  describe.skipIf(chromium.path === undefined)(name, () => {
    let made: Made | undefined;
    beforeAll(async () => {
      made = await Made.open(options);
    }, 180_000);
    afterEach(async () => {
      const said = await made!.endTest();
      expect(said, 'what the browser complained of').toEqual([]);
    });
    afterAll(() => made?.close());
    tests(() => made!);
  });
}

class Made implements Stage {
  readonly shop: StartedShop;
  readonly browser: Browser;
  #complaints: string[] = [];
  #allowed: RegExp[] = [];
  #tabs: Page[] = [];
  readonly #commands = new Set<string>();

  constructor(shop: StartedShop, browser: Browser) {
    this.shop = shop;
    this.browser = browser;
  }

  static async open(options: ShopOptions): Promise<Made> {
    const launched = puppeteer.launch({
      executablePath: chromium.path!,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
      timeout: 110_000,
    });
    const [shop, browser] = await Promise.all([startShop(options), launched]);
    return new Made(shop, browser);
  }

  get url(): string {
    return `${this.shop.url}${this.shop.env.CONSOLE ?? '/console'}`;
  }

  async tab({ width = 1400, height = 900, scheme = 'light', apart = false }: TabOptions = {}): Promise<Page> {
    const from = apart ? await this.browser.createBrowserContext() : this.browser;
    const page = await from.newPage();
    this.#tabs.push(page);
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    page.on('console', (message) =>
      this.#complain(`${message.type()}: ${message.text()} ${message.location().url ?? ''}`),
    );
    page.on('pageerror', (error) => this.#complain(`error: ${(error as Error).stack ?? error}`));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (!/^(data|blob|about):$/.test(protocol) && origin !== this.shop.url)
        this.#complain(`asked for ${request.url()}`);
    });
    await page.evaluateOnNewDocument(
      `addEventListener('securitypolicyviolation', (event) =>
        console.error('policy:', event.violatedDirective, event.blockedURI, event.sample));`,
    );
    // Each command that a dialog shows, as it is shown.
    await page.exposeFunction('shownCommand', (text: string) => void this.#commands.add(text));
    await page.evaluateOnNewDocument(`new MutationObserver(() => {
      for (const one of document.querySelectorAll('.command code')) shownCommand(one.textContent);
    }).observe(document, { childList: true, subtree: true, characterData: true })`);
    return page;
  }

  async signedIn(view = '', options: TabOptions = {}): Promise<Page> {
    const page = await this.tab(options);
    await page.goto(`${this.url}${view}`);
    await page.waitForSelector('h1');
    if (await page.$('input[name="token"]')) await this.signIn(page);
    return page;
  }

  async signIn(page: Page, { name = 'ada', token = this.shop.adminToken } = {}): Promise<void> {
    await page.locator('::-p-aria([name="Name"][role="textbox"])').fill(name);
    await page.locator('input[name="token"]').fill(token);
    await page.locator('::-p-aria([name="Sign in"][role="button"])').click();
    await page.waitForSelector('nav[aria-label="Views"]');
    await page.waitForSelector('h1');
  }

  async admin<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(new URL(path, this.shop.url), {
      method,
      headers: {
        authorization: `Bearer ${this.shop.adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  allow(...lines: readonly RegExp[]): void {
    this.#allowed.push(...lines);
  }

  #complain(line: string): void {
    this.#complaints.push(line);
  }

  /** Closes the tabs; answers what the browser complained of. */
  async endTest(): Promise<string[]> {
    for (const page of this.#tabs.splice(0)) {
      const context = page.browserContext();
      await page.close().catch(() => {});
      if (context !== this.browser.defaultBrowserContext()) await context.close().catch(() => {});
    }
    for (const command of this.#commands) {
      const why = await notUnderstood(command);
      if (why) this.#complain(`a command that banyan does not understand: ${command}: ${why}`);
    }
    this.#commands.clear();
    const [said, allowed] = [this.#complaints.splice(0), this.#allowed.splice(0)];
    // The next test begins with nobody signed in.
    await this.browser.deleteCookie(...(await this.browser.cookies()));
    return said.filter((line) => !allowed.some((one) => one.test(line)));
  }

  async close(): Promise<void> {
    await this.browser.close().catch(() => {});
    await this.shop.stop();
  }
}

/** Why the command line takes no such command; undefined: it does. It asks nobody: no instance runs where it looks. */
export async function notUnderstood(command: string): Promise<string | undefined> {
  const [, words] = /^(?:npx )?banyan (.+)$/.exec(command) ?? [];
  if (words === undefined) return 'it does not begin with banyan';
  let out = '';
  const silent = { isTerminal: false, write: () => {} };
  await banyan(wordsOf(`${words} --json`), {
    env: { BANYAN_URL: 'http://127.0.0.1:1', BANYAN_TOKEN: 'nobody' },
    out: {
      isTerminal: false,
      write: (text) => {
        out += text;
      },
    },
    err: silent,
    interrupted: AbortSignal.timeout(5_000),
  });
  const problem = JSON.parse(out || '{}') as { code?: string; detail?: string };
  return problem.code === 'usage' ? (problem.detail ?? 'usage') : undefined;
}

/** As a shell takes a line apart, as far as commands here need it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'((?:[^']|'\\'')*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single?.replaceAll("'\\''", "'") ?? double ?? bare!,
  );
}

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
let axeSource: string | undefined;

/** What axe-core finds wrong with the page as it is, in words. */
export async function axe(page: Page): Promise<string[]> {
  axeSource ??= await readFile(axePath, 'utf8');
  await page.evaluate(axeSource);
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => id + ': ' + help + ': ' + target.join(' ') + ' ' + failureSummary)))`) as Promise<
    string[]
  >;
}

/** What sticks out of the window to the right, and is not within what scrolls. */
export function overTheEdge(page: Page): Promise<string[]> {
  return page.evaluate(
    `[...document.querySelectorAll('body *')]
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll, pre, .heard, .skip'))
      .map((one) => one.tagName + '.' + one.className + ' ' + (one.textContent ?? '').slice(0, 40))`,
  ) as Promise<string[]>;
}

/** For people to look at: written where BANYAN_PICTURES says, if it does. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.BANYAN_PICTURES;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) as `${string}.png` });
}
