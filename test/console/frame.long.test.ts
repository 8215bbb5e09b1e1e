// The console's frame in a browser: signing in and out, the menu by mouse, keyboard and thumb, every view that there is (so
// that each is looked at in light and dark, on a desk and a phone), what the first answer weighs, and what a tab holds.
import type { Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { axe, notUnderstood, onStage, overTheEdge, picture, type Stage } from './stage.ts';

const look = <T>(page: Page, expression: string) => page.evaluate(expression) as Promise<T>;
const heading = (page: Page) => look<string>(page, `document.querySelector('h1')?.textContent ?? ''`);
const until = (page: Page, expression: string) => page.waitForFunction(expression, { timeout: 20_000 });
const isLive = (page: Page) => until(page, `document.querySelector('.status')?.textContent.includes('Live')`);
const link = (name: string) => `::-p-aria([name="${name}"][role="link"])`;
const button = (name: string) => `::-p-aria([name="${name}"][role="button"])`;
const views = (page: Page) =>
  look<[string, string][]>(
    page,
    `[...document.querySelectorAll('nav[aria-label="Views"] a')].map((one) => [one.textContent, one.pathname])`,
  );

/** What it asked for at first is shown. */
const settled = `document.querySelector('h1') && ![...document.querySelectorAll('main [role="status"]')].some((one) =>
  one.textContent.endsWith('…'))`;

/** What is cut off, can be pressed, or is neither black nor grey on white. */
const wrongOnPaper = `(() => {
  const seen = [...document.querySelectorAll('body, body *')].filter((one) => one.checkVisibility() && !one.closest('svg, .heard'));
  const name = (one) => one.tagName + '.' + one.className + ' ' + one.textContent.slice(0, 30);
  const isGrey = (colour) => /^rgba?\\((\\d+), \\1, \\1(, 1)?\\)$/.test(colour);
  return [
    ...seen.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => 'sticks out: ' + name(one)),
    ...seen.filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible').map((one) => 'is cut: ' + name(one)),
    ...seen.filter((one) => one.matches('button:not(.plain), select, input')).map((one) => 'can be pressed: ' + name(one)),
    ...seen.filter((one) => !isGrey(getComputedStyle(one).color)).map((one) => 'has a colour: ' + name(one)),
    ...(getComputedStyle(document.documentElement).backgroundColor === 'rgb(255, 255, 255)' ? [] : ['is not on white']),
  ];
})()`;

/** Every view of the menu, and what is found wrong with it there. */
async function walk(page: Page, stage: Stage, scheme: string, width: number): Promise<string[]> {
  const found: string[] = [];
  for (const [name, path] of await views(page)) {
    await page.goto(new URL(path, stage.shop.url).href);
    await until(page, `document.title.startsWith(${JSON.stringify(`${name} · `)})`);
    await until(page, settled);
    await picture(page, `${name.toLowerCase().replace(' ', '-')}-${width}-${scheme}`);
    for (const one of [...(await axe(page)), ...(await overTheEdge(page))])
      found.push(`${name}, ${scheme}, ${width}: ${one}`);
  }
  return found;
}

onStage('the frame of the console', (stage) => {
  test('the bare address leads to it; a person signs in, looks at a pasted link, and signs out', async () => {
    const page = await stage().tab();
    await page.goto(stage().shop.url);
    expect(page.url()).toBe(stage().url);
    await page.waitForSelector('input[name="token"]');
    expect(await heading(page)).toBe('Sign in');
    expect(await axe(page)).toEqual([]);
    await picture(page, 'sign-in');
    await page.goto(`${stage().url}/events?type=any`);
    await page.waitForSelector('input[name="token"]');
    await stage().signIn(page);
    await until(page, `document.querySelector('h1').textContent === 'Events'`);
    await isLive(page);
    await page.reload();
    await until(page, `document.querySelector('h1')?.textContent === 'Events'`);
    expect(page.url()).toBe(`${stage().url}/events?type=any`);
    await page.locator(button('Sign out')).click();
    await page.waitForSelector('input[name="token"]');
  });

  test('a script that does not come is told of, to who waits a moment', async () => {
    const page = await stage().tab();
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      if (!request.url().endsWith('/main.ts')) void request.continue();
    });
    // It is never loaded whole.
    void page.goto(stage().url).catch(() => {});
    await page.waitForSelector('.late');
    const isSeen = `document.querySelector('.late').checkVisibility({ visibilityProperty: true })`;
    await until(page, `document.querySelector('.late').getAnimations().length === 1`);
    expect(await look(page, isSeen)).toBe(false);
    await look(page, `document.querySelector('.late').getAnimations()[0].finish()`);
    expect(await look(page, isSeen)).toBe(true);
    expect(await look(page, `document.querySelector('.late').innerText`)).toContain('load the page again');
  });

  test('a wrong token is told in words', async () => {
    stage().allow(/status of 401/);
    const page = await stage().tab();
    await page.goto(stage().url);
    await page.locator('input[name="name"]').fill('ada');
    await page.locator('input[name="token"]').fill('not-the-token');
    await page.locator(button('Sign in')).click();
    await page.waitForSelector('[role="alert"]');
    expect(await look(page, `document.querySelector('[role="alert"]').textContent`)).toContain(
      'The token is not right',
    );
    expect(await look(page, `document.querySelector('[role="alert"]').textContent`)).toContain(
      'neither ADMIN_TOKEN nor the token of an operator',
    );
  });

  test('by keyboard alone: sign in, skip, go on and back; the focus follows', async () => {
    const page = await stage().tab();
    await page.goto(stage().url);
    await page.waitForSelector('input[name="name"]');
    await page.focus('input[name="name"]');
    await page.keyboard.type('ada');
    await page.keyboard.press('Tab');
    await page.keyboard.type(stage().shop.adminToken);
    await page.keyboard.press('Enter');
    await page.waitForSelector('nav[aria-label="Views"]');
    await until(page, `document.querySelector('h1')?.textContent === 'Overview'`);
    await page.focus('nav a');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const hasFocus = (words: string) =>
      until(
        page,
        `document.activeElement?.matches('h1') && document.activeElement.textContent === '${words}'`,
      );
    await hasFocus('Events');
    await page.goBack();
    await hasFocus('Overview');
    await page.reload();
    await page.waitForSelector('h1');
    await page.keyboard.press('Tab');
    expect(await look(page, 'document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await look(page, 'document.activeElement.tagName')).toBe('H1');
  });

  test('on a phone a button opens the menu', async () => {
    const page = await stage().signedIn('', { width: 360 });
    await page.locator(button('Menu')).click();
    await page.locator(link('Events')).click();
    await until(page, `document.querySelector('h1')?.textContent === 'Events'`);
    expect(await look(page, `document.querySelector('.menu').getAttribute('aria-expanded')`)).toBe('false');
  });

  test('on a phone the fields of a filter are behind one button, which counts those that are set', async () => {
    const page = await stage().signedIn('/dead?reason=none', { width: 360 });
    const field = `document.querySelector('input[name="reason"]').checkVisibility()`;
    await page.waitForSelector(button('Filters (1)'));
    expect(await look(page, field)).toBe(false);
    await page.locator(button('Filters (1)')).click();
    await until(page, field);
    await page.locator('input[name="key"]').fill('none');
    await page.waitForSelector(button('Filters (2)'));
    expect(await overTheEdge(page)).toEqual([]);
  });

  test('who may only read is offered no change, and is told which scope it needs', async () => {
    const { token } = await stage().admin<{ token: string }>('POST', '/admin/operators', {
      name: 'who-reads',
      scopes: ['read'],
    });
    const page = await stage().tab({ apart: true });
    await page.goto(stage().url);
    await page.waitForSelector('input[name="token"]');
    await stage().signIn(page, { name: 'bob', token });
    const told = (scope: string) =>
      until(page, `document.querySelector('main').innerText.includes('this needs the scope “${scope}”')`);
    /** Of the buttons that begin with these words: how many there are, and how many are on or say nothing. */
    const offered = (words: string) =>
      look<number[]>(
        page,
        `[...document.querySelectorAll('main button')].filter((one) => (one.ariaLabel ?? one.textContent).match(/${words}/))
          .reduce(([all, on], one) => [all + 1, on + !one.matches(':disabled[title*="scope"][aria-description*="scope"]')], [0, 0])`,
      );
    await page.waitForSelector(button('Extract orders'));
    await told('place');
    const [all, on] = await offered('^(Extract|Restore|Move)');
    expect([all! > 2, on]).toEqual([true, 0]);
    await page.goto(`${stage().url}/modules/orders`);
    await page.waitForSelector(button('Move orders…'));
    await told('place');
    expect((await offered('^(Extract|Restore|Move)'))[1]).toBe(0);
    await page.goto(`${stage().url}/compare`);
    await told('compare');
    expect(await offered('^Start')).toEqual([1, 0]);
    // And no view asks for what is not allowed: a refusal would be on the browser's console.
    expect(await walk(page, stage(), 'reader', 1400)).toEqual([]);
  });

  test('what is nothing says so', async () => {
    const page = await stage().signedIn('/nothing/here');
    await until(page, `document.querySelector('h1')?.textContent === 'No such view'`);
  });

  test('a command that is shown is one that the command line takes', async () => {
    expect(await notUnderstood('npx banyan extract orders')).toBeUndefined();
    expect(await notUnderstood("npx banyan restore 'orders'")).toBeUndefined();
    expect(await notUnderstood('npx banyan extrakt orders')).toContain('extrakt');
    expect(await notUnderstood('npx banyan extract orders --percent-of')).toContain('--percent-of');
  });

  describe('every view', () => {
    for (const [scheme, width] of [
      ['light', 360],
      ['dark', 1400],
    ] as const)
      test(`${scheme}, ${width} wide: axe finds nothing, nothing sticks out`, async () => {
        const page = await stage().signedIn('', { scheme, width });
        expect(await walk(page, stage(), scheme, width)).toEqual([]);
      });
  });

  test('on paper every view is black on white and whole, and says which it is and when', async () => {
    const page = await stage().signedIn('', { scheme: 'dark' });
    for (const [name, path] of await views(page)) {
      await page.emulateMediaType('screen');
      await page.goto(new URL(path, stage().shop.url).href);
      await until(page, `document.title.startsWith(${JSON.stringify(`${name} · `)})`);
      await until(page, settled);
      await page.emulateMediaType('print');
      // What is left of A4 within its margins.
      await page.setViewport({ width: 703, height: 1_000 });
      await picture(page, `paper-${name.toLowerCase().replace(' ', '-')}`);
      const found = await look<string[]>(page, wrongOnPaper);
      expect(found, name).toEqual([]);
      expect(await look(page, `document.querySelector('footer.printed').innerText`)).toMatch(
        new RegExp(`^${page.url()} · printed .*\\d{4}-\\d\\d-\\d\\d`),
      );
    }
  });

  test('the first paint is there within 500 ms, from 100 kB', async () => {
    const page = await stage().tab({ apart: true });
    const sizes: number[] = [];
    const session = await page.createCDPSession();
    await session.send('Network.enable');
    session.on('Network.loadingFinished', ({ encodedDataLength }) => sizes.push(encodedDataLength));
    await page.goto(stage().url, { waitUntil: 'networkidle0' });
    const paint = await look<number>(
      page,
      `performance.getEntriesByName('first-contentful-paint')[0].startTime`,
    );
    const total = sizes.reduce((sum, one) => sum + one, 0);
    console.info(`first paint ${Math.round(paint)} ms, ${sizes.length} files, ${total} bytes`);
    expect(total).toBeLessThan(100_000);
    expect(paint).toBeLessThan(500);
  });
});
