// Dead letters and sagas as a person has them in the console: a letter is found, its data mended with the schema checked, tried
// without effect, and redriven; many are dropped; a saga that is stuck is asked again. What is hostile in them shows as text.
import { randomUUID } from 'node:crypto';
import type { Page } from 'puppeteer-core';
import { beforeAll, expect, test } from 'vitest';
import { banyan } from '../../bin/commands.ts';
import { ask } from '../saga/sums.ts';
import { clientOf, eventually, type Shop } from '../shop.ts';
import { hostile, whatRan } from './hostile.ts';
import { axe, onStage, overTheEdge, picture } from './stage.ts';

const button = (name: string) => `::-p-aria([name="${name}"][role="button"])`;
const text = (page: Page) => page.evaluate('document.body.innerText') as Promise<string>;
const gone = (page: Page, selector: string) =>
  page.waitForFunction(`!document.querySelector(${JSON.stringify(selector)})`, { timeout: 15_000 });
const says = (page: Page, words: string) =>
  page.waitForFunction(`document.body.innerText.includes(${JSON.stringify(words)})`, { timeout: 15_000 });

/** What `banyan` says in a terminal, as one line. */
async function said(shop: Shop, ...words: string[]): Promise<string> {
  let out = '';
  const write = (part: string) => {
    out += part;
  };
  const written = { isTerminal: false, write };
  const env = { BANYAN_URL: shop.url, BANYAN_TOKEN: shop.adminToken };
  await banyan(words, { env, out: written, err: written, interrupted: AbortSignal.timeout(30_000) });
  return out.replaceAll(/\s+/g, ' ');
}

/** A letter as it would lie there after it failed: of this module's event, at that one. */
async function letter(
  shop: Shop,
  data: unknown,
  reason: string,
  key: string = randomUUID(),
  { at, of, event }: Record<'at' | 'of' | 'event', string> = {
    at: 'catalog',
    of: 'orders',
    event: 'order-placed',
  },
): Promise<string> {
  const id = randomUUID();
  const type = `${of}.${event}.v1`;
  const headers = {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: `/modules/${of}`,
    ce_type: type,
    ce_subject: key,
    ce_time: new Date().toISOString(),
    ce_correlationid: id,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    b3: 'a mark',
  };
  await ask(
    shop,
    `SELECT ${at}.event_take($1::uuid, $6, $2, NULL, $7, now(), $3::json, convert_to($4, 'UTF8'), 'dead', $5, true, 1)`,
    [id, key, JSON.stringify(headers), JSON.stringify(data), reason, `${of}.events`, type],
  );
  await ask(
    shop,
    `INSERT INTO ${at}.event_attempt (delivery_id, attempt, host, error, stack, traceparent)
     VALUES ($1, 1, 'monolith', $2, $3, $4)`,
    [id, reason, `Error: ${reason}\n    at somewhere`, headers.traceparent],
  );
  return id;
}

async function stuckSaga(shop: Shop): Promise<string> {
  const token = shop.adminToken;
  const set = (style: string) => shop.call('PUT', '/admin/saga', { token, body: { style } });
  await set('orchestration');
  const customer = await shop.customer();
  const product = await shop.product();
  const { body: placed } = await shop.call('POST', '/api/orders', {
    token: customer.token,
    headers: { 'idempotency-key': randomUUID() },
    body: { lines: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' },
  });
  await set('choreography');
  await eventually(async () => {
    const rows = await ask(shop, `SELECT path FROM orders.sagas WHERE id = $1`, [placed.id]);
    expect(rows).toEqual([{ path: 'done' }]);
  });
  await ask(
    shop,
    `UPDATE orders.sagas SET path = 'forward', step = 'sell-stock', due_at = NULL, awaits = false, trouble = $2,
       deadline_at = now() - interval '1 minute', updated_at = now() - interval '2 minutes' WHERE id = $1`,
    [placed.id, hostile[1]],
  );
  return placed.id;
}

/** By choreography: the answer of payments is a letter at orders, and whatever payments says again comes behind it. */
async function heldSaga(shop: Shop): Promise<{ id: string; holding: string }> {
  const customer = await shop.customer();
  const product = await shop.product();
  const { id } = await shop.order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
  const from = { at: 'orders', of: 'payments', event: 'payment-captured' };
  const holding = await letter(shop, {}, 'could not: this', id, from);
  await eventually(async () => {
    const steps = await ask(shop, 'SELECT step FROM orders.saga_steps WHERE saga_id = $1', [id]);
    expect(steps.map(({ step }) => step)).toContain('reserve-stock');
  });
  // As if nothing had come of it for a minute.
  const past = `UPDATE orders.saga_steps SET at = at - interval '1 minute' WHERE saga_id = $1`;
  await ask(shop, past, [id]);
  return { id, holding };
}

/** Every width, light and dark: nothing for axe, nothing over the edge. */
async function looked(page: Page, url: string, ready: string, name: string): Promise<void> {
  await page.goto(url);
  await says(page, ready);
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    for (const width of [360, 800, 1400]) {
      await page.setViewport({ width, height: 1_000 });
      await picture(page, `${name}-${width}-${scheme}`);
      expect(await overTheEdge(page), `${name} ${width} ${scheme}`).toEqual([]);
      if (width === (scheme === 'light' ? 360 : 1_400))
        expect(await axe(page), `${name} ${width} ${scheme}`).toEqual([]);
    }
  }
}

onStage('dead letters and sagas', (stage) => {
  let shop: Shop;
  let order: string;
  const key = randomUUID();
  let mended: string;
  let held: string;

  beforeAll(async () => {
    shop = clientOf(stage().shop);
    for (const one of hostile) await letter(shop, { note: one }, `could not: ${one}`);
    mended = await letter(shop, { orderId: key, lines: hostile }, `wrong schema: ${hostile[0]}`, key);
    order = await stuckSaga(shop);
    held = await letter(shop, {}, `could not: ${hostile[3]}`, order);
  }, 60_000);

  test('every view is readable at each width, light and dark', async () => {
    const page = await stage().signedIn();
    const { url } = stage();
    await looked(page, `${url}/dead`, 'could not:', 'letters');
    await looked(page, `${url}/dead/${mended}`, 'Attempts', 'letter');
    await looked(page, `${url}/dead/${mended}?ask=redrive`, 'Not tried.', 'letter-redrive');
    await looked(page, `${url}/sagas`, order, 'sagas');
    await looked(page, `${url}/sagas/${order}`, 'could not:', 'saga');
    expect(await whatRan(page)).toEqual([]);
  });

  test('a letter is found, mended, tried and redriven', async () => {
    const page = await stage().signedIn('/dead');
    await says(page, `${hostile.length + 2} events`);
    expect(await whatRan(page)).toEqual([]);
    await page.locator('input[name="reason"]').fill('WRONG schema');
    await says(page, '1 event that fit');
    expect(new URL(page.url()).search).toContain('reason=WRONG+schema');
    await page.reload();
    await says(page, '1 event that fit');
    await page.locator('::-p-aria([name="orders.order-placed.v1"][role="link"])').click();
    await says(page, 'Attempts');
    expect(new URL(page.url()).pathname).toBe(`/console/dead/${mended}`);
    expect(await whatRan(page)).toEqual([]);

    // Nobody was looking at traces: a link would lead to nothing.
    await says(page, 'Not kept: nobody was looking at traces.');
    expect(await page.$$('main a[href*="/traces/"]')).toHaveLength(0);
    await page.locator(button('Redrive…')).click();
    await says(page, 'Whether it would work is not known.');
    expect(await page.$('[role="dialog"] .primary')).toBeNull();
    await page.reload();
    await says(page, 'Whether it would work is not known.');
    await page.locator(button('Try first')).click();
    await says(page, 'it will be a dead letter again');
    await picture(page, 'letter-redrive-fails');
    await page.keyboard.press('Escape');
    await gone(page, '[role="dialog"]');
    await says(page, 'It would fail');
    const better = {
      orderId: key,
      userId: randomUUID(),
      lines: [{ productId: randomUUID(), quantity: 1 }],
      totalCents: 'x' as unknown,
      currency: 'EUR',
      paymentToken: 'sealed',
    };
    await page.locator('textarea').fill(JSON.stringify(better));
    await says(page, '/totalCents');
    const right = JSON.stringify({ ...better, totalCents: 100 }, null, 2);
    await page.locator('textarea').fill(right);
    await says(page, 'Its consumer can read this.');
    // Nothing of it is lost by a look elsewhere, nor by a reload.
    await page.locator('nav[aria-label="Views"] a[href$="/sagas"]').click();
    await says(page, 'New sagas');
    await page.goBack();
    await says(page, 'Its consumer can read this.');
    await page.reload();
    await says(page, 'Its consumer can read this.');
    expect(await page.$eval('textarea', (one) => one.value)).toBe(right);
    await page.locator(button('Try')).click();
    await says(page, 'It would work');
    expect(await page.$eval('.letter-tried .command', (one) => one.textContent)).toContain(
      `--at catalog --data '${JSON.stringify(JSON.parse(right))}'`,
    );
    expect(await text(page)).toContain('catalog.stock-refused.v1');
    expect(await ask(shop, 'SELECT state FROM catalog.event_delivery WHERE id = $1', [mended])).toEqual([
      { state: 'dead' },
    ]);
    await picture(page, 'letter-tried');

    await page.locator(button('Redrive…')).click();
    await page.waitForSelector('[role="dialog"]');
    expect(await text(page)).toContain(`npx banyan events redrive ${mended}`);
    expect(await text(page)).toContain('Tried with this data');
    await picture(page, 'letter-redrive-works');
    await page.locator('[role="dialog"] button[type="submit"].primary').click();
    await says(page, 'Nothing is left to decide: it is done.');
    expect(await text(page)).not.toContain('On the way again');
    expect(await text(page)).not.toContain('It would work');
    await says(page, 'made new');
    const [audit] = await ask(
      shop,
      `SELECT by, original IS NOT NULL AS kept, convert_from(replacement, 'UTF8') AS written
       FROM catalog.event_audit WHERE event_id = $1`,
      [mended],
    );
    expect(audit).toEqual({
      by: expect.stringContaining('ada'),
      kept: true,
      written: JSON.stringify(JSON.parse(right)),
    });
    await page.locator('.letter-edit summary').click();
    expect(await page.$eval('.letter-edit', (one) => one.textContent)).toContain(right);
    await picture(page, 'letter-mended');
    await page.locator('nav[aria-label="Views"] a[href$="/audit"]').click();
    await page.locator(`::-p-aria([name="${mended}"][role="link"])`).click();
    await says(page, 'Nothing is left to decide: it is done.');
    expect(await page.evaluate('Object.keys(sessionStorage)')).toEqual([]);
  });

  test('a dialog that was refused is left by Esc, and a letter that was dropped asks for nothing', async () => {
    // From here on somebody looks at traces.
    const page = await stage().signedIn('/traces');
    await says(page, 'Recorded until');
    const id = await letter(shop, { note: 'mine' }, 'of somebody', randomUUID());
    await ask(
      shop,
      `INSERT INTO orders.event_audit (id, action, by, event_id, detail)
       VALUES (gen_random_uuid(), 'publish', 'grace', $1, '{"type":"orders.order-placed.v1"}')`,
      [id],
    );
    await page.goto(`${stage().url}/audit`);
    await says(page, `published the event ${id} (orders.order-placed.v1) by hand`);
    await page.locator(`::-p-aria([name="${id}"][role="link"])`).click();
    await says(page, 'by hand, by grace');
    await page.waitForSelector('.letter-facts a[href*="/traces/"].mono');
    expect(await text(page)).not.toContain('nobody was looking');
    const sentence = 'It will have no effect. Later events of its key go on.';
    await page.locator(button('Drop…')).click();
    await says(page, sentence);
    stage().allow(/status of 422/);
    await page.locator('[role="dialog"] textarea').fill('x'.repeat(1_001));
    await page.locator('[role="dialog"] button[type="submit"]').click();
    await page.waitForSelector('[role="dialog"] [role="alert"]');
    await page.keyboard.press('Escape');
    await gone(page, '[role="dialog"]');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Drop…');
    await page.locator(button('Drop…')).click();
    await page.locator('[role="dialog"] textarea').fill('a test of one');
    await page.locator('[role="dialog"] button[type="submit"]').click();
    await says(page, 'Nothing is left to decide: it is dropped.');
    expect(await text(page)).not.toContain('Type to mend it.');
    expect(await page.$('main .notice')).toBeNull();
    expect(await page.$eval('textarea', (one) => one.readOnly)).toBe(true);
    await picture(page, 'letter-dropped');
    // One who signs out leaves nothing behind of what was typed.
    await page.goto(`${stage().url}/dead/${held}`);
    await page.locator('textarea').fill('{ "half": ');
    await says(page, 'Not JSON');
    expect(await page.evaluate('Object.keys(sessionStorage).length')).toBe(1);
    await page.locator(button('Sign out')).click();
    await page.waitForSelector('input[name="token"]');
    expect(await page.evaluate('Object.keys(sessionStorage).length')).toBe(0);
  });

  test('a saga that is stuck says why, and is asked again', async () => {
    const page = await stage().signedIn('/sagas?state=stuck');
    await says(page, order);
    await says(page, hostile[1]!);
    expect(await whatRan(page)).toEqual([]);
    await page.locator(`::-p-aria([name="${order}"][role="link"])`).click();
    await says(page, 'What happened');
    await says(page, 'Held by catalog, which could not handle orders.order-placed.v1');
    const holder = '[aria-label="What holds it"]';
    expect(await page.$eval(holder, (one) => one.textContent)).toContain(`could not: ${hostile[3]}`);
    await page.locator(`${holder} a[href*="/dead/"]`).click();
    await says(page, 'Attempts');
    expect(new URL(page.url()).pathname).toBe(`/console/dead/${held}`);
    await says(page, `Saga ${order} of orders`);
    await page.locator(`::-p-aria([name="${order}"][role="link"])`).click();
    await says(page, 'What happened');
    // Past its pivot nothing of it is taken back: that is said before anybody asks for it.
    expect(await text(page)).toContain('No cancel: After confirm-order it only goes forward');
    expect(await page.$eval('main button.danger', (one) => (one as HTMLButtonElement).disabled)).toBe(true);
    const beside = await stage().signedIn(`/dead/${held}`);
    await says(beside, `Saga ${order} of orders`);
    await page.bringToFront();
    await page.locator(button('Retry…')).click();
    await page.waitForSelector('[role="dialog"]');
    const dialog = await page.$eval('[role="dialog"]', (one) => (one as HTMLElement).innerText);
    expect(dialog).toContain(`npx banyan saga retry ${order}`);
    // A coordinator asks by calls: a letter need not be in its way.
    expect(dialog).toContain('Until then a retry may not help.');
    await page.locator('[role="dialog"] button[type="submit"]').click();
    await says(page, 'finished');
    // A view that was open all the while says so as well.
    await beside.bringToFront();
    await says(beside, 'finished');
  });

  test('a saga that a letter holds is not called well by a retry, nor handled by a drop', async () => {
    const { id, holding } = await heldSaga(shop);
    const page = await stage().signedIn('/sagas?state=stuck');
    const sentence = 'Held by orders, which could not handle payments.payment-captured.v1: could not: this';
    await says(page, sentence);
    await page.locator(`::-p-aria([name="${id}"][role="link"])`).click();
    await says(page, 'What happened');
    await says(page, sentence);
    expect(await text(page)).not.toContain('It waits for');
    for (const words of [['saga'], ['saga', 'show', id]])
      expect(await said(shop, ...words), words.join(' ')).toContain(sentence);
    await page.locator(button('Retry…')).click();
    await page.waitForSelector('[role="dialog"]');
    expect(await text(page)).toContain(
      'Until then a retry cannot help: what is asked again comes behind it.',
    );
    expect(await page.$(`[role="dialog"] a[href*="/dead/${holding}"]`)).not.toBeNull();
    await picture(page, 'saga-held-retry');
    expect(await axe(page)).toEqual([]);
    await page.locator('[role="dialog"] button[type="submit"]').click();
    await says(page, 'It is within its time, but does not go on before that');
    expect(await text(page)).toContain(sentence);
    await picture(page, 'saga-held-retried');
    const shown = await stage().admin('GET', `/admin/saga/${id}`);
    expect(shown.state).not.toBe('stuck');
    await stage().admin('POST', `/admin/events/dead/${holding}/drop`, { why: 'a test' });
    await says(page, 'dropped: a test');
    expect(await text(page)).not.toContain('every event of this key was handled');
    expect(await text(page)).not.toContain('Held by');
    await picture(page, 'saga-dropped');
  });

  test('a saga that nothing of its events holds names the module that it waits for', async () => {
    const id = await stuckSaga(shop);
    const page = await stage().signedIn(`/sagas?state=stuck`);
    await page.locator(`::-p-aria([name="What holds it ${id}"][role="link"])`).click();
    await says(page, 'It waits for catalog, at sell-stock.');
    await says(page, 'No event of its key failed.');
  });

  test('a saga that is over is found by its id, and by no part of it', async () => {
    const customer = await shop.customer();
    const { id: productId } = await shop.product();
    const { id } = await shop.order(customer, [{ productId, quantity: 1 }]);
    await shop.final(customer, id);
    const page = await stage().signedIn('/sagas');
    await says(page, 'New sagas');
    await page.locator('input[name="id"]').fill(id.slice(0, 20));
    await says(page, 'This is no whole id.');
    await page.goto(`${stage().url}/sagas/nonsense`);
    await says(page, 'This is no whole id.');
    await page.locator('::-p-aria([name="All sagas"][role="link"])').click();
    await page.locator('input[name="id"]').fill(id);
    await says(page, 'finished');
    await page.locator(`::-p-aria([name="${id}"][role="link"])`).click();
    await says(page, 'confirm-order');
    expect(new URL(page.url()).pathname).toBe(`/console/sagas/${id}`);
    expect(await text(page)).not.toContain('Held by');
  });

  test('the style is switched, and what may not be done says why', async () => {
    const page = await stage().signedIn('/sagas');
    await says(page, 'New sagas: choreography');
    await page.locator(button('Switch style…')).click();
    await page.locator('[role="dialog"] button[type="submit"]').click();
    await says(page, 'New sagas: orchestration');
    const { token } = await stage().admin<{ token: string }>('POST', '/admin/operators', {
      name: 'reader',
      scopes: ['read'],
    });
    const other = await stage().tab({ apart: true });
    await other.goto(`${stage().url}/sagas`);
    await other.waitForSelector('input[name="token"]');
    await stage().signIn(other, { name: 'bob', token });
    await says(other, 'New sagas');
    await says(other, 'Not allowed: this needs the scope “saga”');
    const isOff = `[...document.querySelectorAll('main button')].find((one) => one.textContent === 'Switch style…')
      .matches(':disabled[title*="“saga”"]')`;
    expect(await other.evaluate(isOff)).toBe(true);
    await other.goto(`${stage().url}/dead?state=dead`);
    await says(other, 'Not allowed: this needs the scope “events”');
    const offered = `document.querySelectorAll('.letters-many button:not(:disabled), main input[type="checkbox"]').length`;
    expect(await other.evaluate(offered)).toBe(0);
    await other.goto(`${stage().url}/dead/${mended}?module=catalog`);
    await says(other, 'Not allowed: this needs the scope “events”');
  });

  test('many are chosen and dropped with a reason', async () => {
    const page = await stage().signedIn('/dead?module=catalog&type=order-placed');
    await says(page, `${hostile.length + 1} events`);
    await page.locator('::-p-aria([name="Choose all on this page"][role="checkbox"])').click();
    await page.locator(button(`Drop ${hostile.length + 1} chosen…`)).click();
    await page.waitForSelector('[role="dialog"]');
    await page.locator('[role="dialog"] textarea').fill(`a test ${hostile[2]}`);
    await picture(page, 'letters-drop');
    expect(await axe(page)).toEqual([]);
    await page.locator('[role="dialog"] button[type="submit"]').click();
    await says(page, `${hostile.length + 1} letters dropped.`);
    await says(page, 'None fits this filter.');
    const rows = await ask(
      shop,
      `SELECT DISTINCT why FROM catalog.event_audit WHERE action = 'drop' AND why <> 'a test of one'`,
    );
    expect(rows).toEqual([{ why: `a test ${hostile[2]}` }]);
    expect(await whatRan(page)).toEqual([]);
  });
});
