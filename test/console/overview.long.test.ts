// The overview in a real browser: a module moves while requests run and none fails, and the page says so; a share by hand; a
// ladder that comes down, with its reason; a store that moves and comes back; a process that stands still while it is watched.
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'puppeteer-core';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../../src/banyan/postgres/free-port.ts';
import { throwawayServer } from '../../src/banyan/postgres/testing.ts';
import { catalog } from '../../src/modules/catalog/contract.ts';
import { startForeign } from '../foreign-service.ts';
import { installationOf } from '../start-shop.ts';
import { axe, onStage, overTheEdge, picture, type Stage } from './stage.ts';

interface Placed {
  readonly modules: { readonly module: string; readonly instances: { readonly pid: number }[] }[];
}

const press = (page: Page, name: string) =>
  page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
const main = (page: Page) => page.$eval('main', (one) => (one as unknown as { innerText: string }).innerText);
/** What the page shows comes to fit. */
async function reads(page: Page, what: RegExp, timeout = 40_000): Promise<void> {
  const fits = `(${what}).test(document.querySelector('main')?.innerText ?? '')`;
  await page.waitForFunction(fits, { timeout, polling: 200 }).catch(async (error) => {
    throw new Error(`${what} is not in: ${await main(page)}`, { cause: error });
  });
}
const gone = (page: Page) => page.waitForFunction(`!document.querySelector('[role="dialog"]')`);

/** So many requests of clients, some at a time; answers how many were not answered well. */
async function ask(
  stage: Stage,
  count: number,
  until: () => boolean,
): Promise<{ asked: number; failed: number }> {
  let [asked, failed] = [0, 0];
  const one = async () => {
    while (asked < count || !until()) {
      asked += 1;
      const answer = await fetch(new URL('/api/catalog/products?limit=1', stage.shop.url)).catch(
        () => undefined,
      );
      await answer?.arrayBuffer();
      if (answer?.status !== 200) failed += 1;
      await pause(5);
    }
  };
  await Promise.all(Array.from({ length: 4 }, one));
  return { asked, failed };
}

const server = await throwawayServer();
afterAll(() => server.stop());
const env = { INTERNAL_PORT: String(await freePort()), STORE_SECOND_URL: await server.database() };

onStage(
  'the overview',
  (stage) => {
    test('a module is extracted and restored on the page while 2,000 requests run, and none fails', async () => {
      const page = await stage().signedIn();
      await reads(page, /Processes[\s\S]*monolith/);
      const tableAt = () =>
        page.$eval(
          '[aria-label="Modules"]',
          (one) =>
            (one as unknown as { getBoundingClientRect(): { top: number } }).getBoundingClientRect().top,
        );
      const before = await tableAt();
      let over = false;
      const load = ask(stage(), 2_000, () => over);
      await press(page, 'Extract catalog');
      await page.waitForSelector('[role="dialog"]');
      expect(await page.$eval('[role="dialog"]', (one) => one.textContent)).toContain(
        'npx banyan extract catalog',
      );
      await press(page, 'Cancel');
      await gone(page);
      await press(page, 'Extract catalog');
      await press(page, 'Extract');
      await gone(page);
      await reads(page, /extract under way catalog/);
      // What is on its way pushes no button away.
      expect(await tableAt()).toBe(before);
      // It comes up, and is not down.
      expect(await main(page)).not.toMatch(/catalog-1 down/);
      // Another tab, and this one loaded again, show the same.
      const other = await stage().signedIn();
      await page.reload();
      for (const tab of [other, page]) {
        // A tab that nobody sees holds still.
        await tab.bringToFront();
        await reads(tab, /flip over catalog: in-process → service; failed during this flip: 0/);
      }
      expect(
        (await stage().admin<{ modules: unknown[] }>('GET', '/admin/placements')).modules[0],
      ).toMatchObject({
        module: 'catalog',
        placement: 'service',
      });
      await picture(page, 'overview-extracted');
      expect(await page.$eval('svg.picture', (one) => one.textContent)).toContain('flip: 0 failed');
      // Who comes later to the same dialog is offered nothing, and the address asks for nothing any more.
      await other.bringToFront();
      await other.goto(`${stage().url}/?extract=catalog`);
      await reads(other, /catalog is extracted already: 1 process of it serves all of its requests/);
      expect(await other.$$('[role="dialog"] button[type="submit"]')).toEqual([]);
      expect(new URL(other.url()).search).toBe('');
      await press(other, 'Close');
      await gone(other);
      await page.bringToFront();
      await press(page, 'Restore catalog');
      await press(page, 'Restore');
      await reads(page, /flip over catalog: service → in-process; failed during this flip: 0/);
      await reads(page, /restore done catalog/);
      over = true;
      const { asked, failed } = await load;
      expect(failed).toBe(0);
      expect(asked).toBeGreaterThanOrEqual(2_000);
      // Both counts stay with their changes.
      const { items } = await stage().admin<{ items: object[] }>('GET', '/admin/history?module=catalog');
      expect(items.slice(0, 2)).toMatchObject([
        { to: 'in-process', failed: 0 },
        { to: 'service', failed: 0 },
      ]);
      expect(await axe(page)).toEqual([]);
    });

    test('a share is raised by hand, and taken back', async () => {
      const page = await stage().signedIn('/?move=notifications');
      await page.waitForSelector('[role="dialog"]');
      const percent = page.locator('::-p-aria([name="Percent of its requests"])');
      await percent.fill('0');
      await reads(page, /A share is a whole number from 1 to 99/);
      expect(
        await percent
          .map((one) =>
            (one as unknown as { getAttribute(name: string): string }).getAttribute('aria-invalid'),
          )
          .wait(),
      ).toBe('true');
      await percent.fill('30');
      await reads(page, /npx banyan extract notifications -p 30/);
      await press(page, 'Move');
      await reads(page, /notifications: in-process → canary 30%/);
      expect(await page.$eval('svg.picture', (one) => one.textContent)).toContain('30 % of requests');
      await press(page, 'Restore notifications');
      await press(page, 'Restore');
      await reads(page, /restore done notifications/);
    });

    test('a ladder that leads nowhere is told so at its field; what cannot be tried is offered no shadow', async () => {
      const page = await stage().signedIn('/?move=catalog&way=ladder');
      const steps = page.locator('::-p-aria([name="Steps, rising"])');
      await steps.fill('10,5');
      await reads(page, /The steps do not rise: 5 comes after 10/);
      expect(
        await page.$eval('[role="dialog"] button[type="submit"]', (one) => one.matches(':disabled')),
      ).toBe(true);
      expect(await axe(page)).toEqual([]);
      await picture(page, 'ladder-refused');
      await page.goto(`${stage().url}/?move=media&way=ladder`);
      await reads(page, /nothing of media can be tried in shadow/);
      expect(await main(page)).toMatch(/npx banyan ladder media --steps 1,10,50,100/);
      expect(await page.$('[role="dialog"] input[value="shadow"]')).toBeNull();
      await press(page, 'Cancel');
      await gone(page);
      for (const name of ['Extract media', 'Move media…', 'Move catalog…'])
        await page.waitForSelector(`::-p-aria([name="${name}"][role="button"])`);
    });

    test('on a phone the picture is there, its halves one under the other', async () => {
      const page = await stage().signedIn('', { width: 360 });
      await press(page, 'The picture');
      await page.waitForFunction(`document.activeElement?.id === 'drawn'`);
      const box = await page.$eval('svg.picture', (one) => {
        const { width, height } = (
          one as unknown as { getBoundingClientRect(): { width: number; height: number } }
        ).getBoundingClientRect();
        return { width, height };
      });
      expect(box.width).toBeGreaterThan(280);
      expect(box.height).toBeGreaterThan(box.width);
      expect(await overTheEdge(page)).toEqual([]);
      await picture(page, 'phone');
    });

    test('a ladder comes down, and its module says why', async () => {
      const { shop } = stage();
      const foreign = await startForeign(
        catalog,
        `http://127.0.0.1:${env.INTERNAL_PORT}`,
        installationOf(shop),
        1,
        ['in-process', 'canary', 'service'],
      );
      let fails = false;
      foreign.serve = (_request, response) => {
        if (fails) response.writeHead(500).end();
        else
          response
            .writeHead(200, { 'content-type': 'application/json' })
            .end('{"items":[],"nextCursor":null}');
      };
      let over = false;
      const load = ask(stage(), 0, () => over);
      const page = await stage().signedIn('/modules/catalog?move=catalog&way=ladder');
      await page.locator('::-p-aria([name="Steps, rising"])').fill('50,100');
      await page.locator('::-p-aria([name="At least so many seconds on each"])').fill('600');
      await press(page, 'Move');
      await reads(page, /ladder running catalog at 50 %/);
      fails = true;
      await reads(page, /demoted at 50 %/);
      over = true;
      await load;
      const { reason } = await stage().admin<{ reason: string }>('GET', '/admin/ladders/catalog');
      expect(await main(page)).toContain(reason);
      await picture(page, 'demoted');
      expect(await axe(page)).toEqual([]);
      await foreign.close();
    });

    test('a store moves to another server, and back', async () => {
      const page = await stage().signedIn('/?move=media&way=store');
      await page
        .locator('::-p-aria([name="Server: own, shared, or the name of STORE_<NAME>_URL"])')
        .fill('second');
      await press(page, 'Move');
      await gone(page);
      await page.goto(`${stage().url}/moves`);
      await reads(
        page,
        /media[\s\S]*It is on the server second, . paired; the shared server follows/,
        90_000,
      );
      await reads(page, /The pause: \d+ ms/);
      await picture(page, 'moves');
      await reads(page, /move shared → second: moved/);
      await press(page, 'Back media');
      await press(page, 'Back');
      await reads(page, /It is on the shared server, . paired/, 90_000);
      expect(await overTheEdge(page)).toEqual([]);
      await press(page, 'Finish media');
      await press(page, 'Finish');
      await reads(page, /No store is on its way, and none has a pair/, 90_000);
    });

    test('an extracted module gets another process, and gives it back', async () => {
      await stage().shop.extract('users');
      const page = await stage().signedIn('/?extract=users');
      await press(page, 'More or fewer processes…');
      const processes = page.locator('::-p-aria([name="Processes"][role="spinbutton"])');
      for (const [count, shows] of [
        ['2', /users-2 healthy/],
        ['1', /users-1 healthy(?![\s\S]*users-2)/],
      ] as const) {
        await processes.fill(count);
        await reads(page, new RegExp(`npx banyan extract users --instances ${count}`));
        await press(page, 'Set');
        await gone(page);
        await reads(page, shows);
        if (count === '2') await page.goto(`${stage().url}/?move=users&way=processes`);
      }
      await stage().shop.restore('users');
    });

    test('a process that stands still is shown with the age of its numbers', async () => {
      await stage().shop.extract('payments');
      const page = await stage().signedIn();
      await reads(page, /payments-1 healthy/);
      const pidOf = async () => {
        const { modules } = await stage().admin<Placed>('GET', '/admin/placements');
        return modules.find(({ module }) => module === 'payments')!.instances[0]!.pid;
      };
      const pid = await pidOf();
      await reads(page, /payments-1\s+\d+\s+. ready/);
      process.kill(pid, 'SIGSTOP');
      try {
        await reads(page, /numbers are \d+ (ms|s) old/);
        await picture(page, 'silent');
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await page.waitForFunction(`!/ old/.test(document.querySelector('main').innerText)`, {
        timeout: 30_000,
      });
      // One that is killed is down at a glance, and stays in the history when its successor is there.
      // Its successor may be there before the next picture, which comes once a second: then it is killed once more.
      const isDown = () =>
        page
          .waitForFunction(
            `/payments-1 is down/.test(document.querySelector('svg.picture .token.down')?.textContent ?? '')`,
            { polling: 20, timeout: 4_000 },
          )
          .catch(() => undefined);
      do {
        await reads(page, /payments-1 healthy/);
        process.kill(await pidOf(), 'SIGKILL');
      } while (!(await isDown()));
      await reads(page, /payments-1 healthy/);
      await page.goto(`${stage().url}/modules/payments`);
      await reads(
        page,
        /Processes[\s\S]*payments-1 ended by SIGKILL[\s\S]*History[\s\S]*payments-1 ended by SIGKILL/,
      );
      await picture(page, 'ended');
      await stage().shop.restore('payments');
    });

    test('while the host does not answer nothing is offered, and the picture fades', async () => {
      const page = await stage().signedIn();
      await reads(page, /Processes[\s\S]*monolith/);
      const { monolith } = await stage().admin<{ monolith: { pid: number } }>('GET', '/admin/placements');
      const comes = (expression: string) =>
        page.waitForFunction(expression, { timeout: 30_000, polling: 200 });
      // It stands still, and its connections with it: nothing tells the page but that it says nothing.
      process.kill(monolith.pid, 'SIGSTOP');
      try {
        await comes(`/Nothing new for \\d+ s/.test(document.querySelector('.status').textContent)`);
        await comes(`/No answer for \\d+ s/.test(document.querySelector('.status').textContent)`);
        await comes(`document.querySelector('.overview.stale')`);
        await reads(page, /The host does not answer/);
        const offered = await page.$$eval(
          '.moves button',
          (all) => all.filter((one) => !one.matches(':disabled[title]')).length,
        );
        expect(offered).toBe(0);
        await picture(page, 'no-answer');
      } finally {
        process.kill(monolith.pid, 'SIGCONT');
      }
      await comes(`!document.querySelector('.overview.stale')`);
      await comes(`document.querySelector('.moves button:not(:disabled)')`);
    });
  },
  { env },
);
