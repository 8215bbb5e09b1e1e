// The picture in the browser, as it comes: one stream for each tab that is seen and none for the others, eight tabs at once,
// a monolith that goes and comes back, a token that ends, more pages than a host streams to.
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { hostile, whatRan } from './hostile.ts';
import { onStage, type Stage } from './stage.ts';

const status = (page: Page, words: string) =>
  page.waitForFunction(
    (said: string) => {
      const page = globalThis as unknown as {
        document: { querySelector(selector: string): { textContent: string } | null };
      };
      return page.document.querySelector('.status')?.textContent.includes(said);
    },
    { timeout: 40_000 },
    words,
  );
const heading = (page: Page, words: string) =>
  page.waitForFunction(`document.querySelector('h1')?.textContent === ${JSON.stringify(words)}`);
const button = (name: string) => `::-p-aria([name="${name}"][role="button"])`;

/** Tells a tab that nobody sees it, or that somebody does: a headless browser shows all of its tabs. */
const see = (page: Page, seen: boolean) =>
  page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${!seen}, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'))`);

/** Streams that are open, as the browser knows them. */
async function streamsOf(page: Page): Promise<() => number> {
  const session = await page.createCDPSession();
  const open = new Set<string>();
  await session.send('Network.enable');
  session.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (request.url.includes('/api/live')) open.add(requestId);
  });
  for (const end of ['Network.loadingFinished', 'Network.loadingFailed'] as const)
    session.on(end, ({ requestId }) => void open.delete(requestId));
  return () => open.size;
}

/** A cookie as the page has it, for streams that no page holds. */
async function cookieOf(stage: Stage): Promise<string> {
  const response = await fetch(`${stage.url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-banyan-console': '1', 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify({ name: 'ada', token: stage.shop.adminToken }),
  });
  expect(response.status).toBe(201);
  return response.headers.get('set-cookie')!.split(';')[0]!;
}

onStage('the picture as it comes', (stage) => {
  test('a tab has one stream while it is seen, and none while it is hidden', async () => {
    const page = await stage().tab();
    const streams = await streamsOf(page);
    await page.goto(stage().url);
    await page.waitForSelector('h1');
    await stage().signIn(page);
    await status(page, 'Live');
    expect(streams()).toBe(1);
    await see(page, false);
    await status(page, 'Paused');
    await expect.poll(streams).toBe(0);
    await see(page, true);
    await status(page, 'Live');
    expect(streams()).toBe(1);
  });

  test('of eight tabs the one that is seen is live, and all can be opened', async () => {
    const first = await stage().signedIn();
    await status(first, 'Live');
    let before = first;
    for (let tab = 2; tab <= 8; tab += 1) {
      await see(before, false);
      before = await stage().signedIn('/events');
      await heading(before, 'Events');
      await status(before, 'Live');
    }
    await see(before, false);
    await first.bringToFront();
    await see(first, true);
    await status(first, 'Live');
  });

  test('above the limit a page asks every 5 s, and says so', async () => {
    stage().allow(/status of 503/);
    const cookie = await cookieOf(stage());
    const end = new AbortController();
    const open = () => fetch(`${stage().url}/api/live`, { headers: { cookie }, signal: end.signal });
    try {
      const all = await Promise.all(Array.from({ length: 32 }, open));
      expect(all.map(({ status: one }) => one)).toEqual(all.map(() => 200));
      expect(all[0]!.headers.get('content-type')).toBe('text/event-stream');
      const refused = await open();
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
      const page = await stage().signedIn();
      await status(page, 'Every 5 s');
    } finally {
      end.abort();
    }
  });

  test('what was missed is told to who comes back with the id of what they had', async () => {
    const cookie = await cookieOf(stage());
    const end = new AbortController();
    const open = async (headers: Record<string, string> = {}) => {
      const { body } = await fetch(`${stage().url}/api/live`, {
        headers: { cookie, ...headers },
        signal: end.signal,
      });
      return body!.pipeThrough(new TextDecoderStream()).getReader();
    };
    try {
      const kept = await open();
      const whole = (await kept.read()).value!;
      expect(whole).toMatch(/^event: picture\nid: \S+\ndata: \{/);
      const id = /id: (\S+)/.exec(whole)![1]!;
      expect((await kept.read()).value).toMatch(/^event: change\n/);
      const again = await open({ 'last-event-id': id });
      expect((await again.read()).value).toMatch(/^event: change\n/);
      const stranger = await open({ 'last-event-id': 'another-1' });
      expect((await stranger.read()).value).toMatch(/^event: picture\n/);
    } finally {
      end.abort();
    }
  });

  test('whose token is revoked while they watch is out within seconds, and told why', async () => {
    stage().allow(/status of 401/);
    const { token } = await stage().admin<{ token: string }>('POST', '/admin/operators', {
      name: 'grace',
      scopes: ['read'],
    });
    const page = await stage().tab();
    await page.goto(stage().url);
    await page.waitForSelector('h1');
    await stage().signIn(page, { name: 'Grace', token });
    await status(page, 'Live');
    await stage().admin('DELETE', '/admin/operators/grace');
    await page.waitForSelector('input[name="token"]', { timeout: 10_000 });
    expect(await page.evaluate(`document.querySelector('.notice').textContent`)).toContain(
      'session has ended',
    );
  });

  test('hostile texts in an address are shown as texts', async () => {
    const page = await stage().signedIn();
    for (const text of hostile) {
      await page.goto(
        `${stage().url}/modules/${encodeURIComponent(text)}?q=${encodeURIComponent(text)}`.replaceAll(
          /%2f|%5c|%00/gi,
          '',
        ),
      );
      await page.waitForSelector('h1');
      expect(await whatRan(page)).toEqual([]);
    }
  });

  test('a monolith that goes is told of, and the page goes on when it is back', async () => {
    stage().allow(
      /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|status of 50[23]/,
    );
    const { shop } = stage();
    const { port } = new URL(shop.url);
    const page = await stage().signedIn('/events');
    await status(page, 'Live');
    const ended = shop.host.end();
    await status(page, 'No answer');
    await ended;
    (shop.env as Record<string, string>).PORT = port;
    await shop.restart();
    await status(page, 'Live');
    await heading(page, 'Events');
    await page.locator(button('Sign out')).click();
    await page.waitForSelector('input[name="token"]');
  });
});
