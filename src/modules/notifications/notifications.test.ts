// Notifications as customers see them: one mail per final order, a welcome, an administrator's own words.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inBothPlacements, type Shop } from '../../../test/shop.ts';

type Customer = Awaited<ReturnType<Shop['customer']>>;
interface Notification {
  id: string;
  orderId: string | null;
  type: string;
  content: string;
  status: string;
}

inBothPlacements('notifications', (shop) => {
  const list = async (customer: Customer, query = ''): Promise<Notification[]> => {
    const { status, body } = await shop().call('GET', `/api/notifications?${query}`, {
      token: customer.token,
    });
    expect(status).toBe(200);
    return body.items;
  };
  const sentFor = (customer: Customer, orderId: string) =>
    shop().eventually(async () => {
      const items = await list(customer, `orderId=${orderId}`);
      expect(items.map((one) => one.status)).toEqual(['sent']);
      return items[0]!;
    });
  const mailsNaming = async (word: string) => {
    const folder = join(shop().dataDir, 'mail');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.eml'));
    const mails = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    return mails.filter((mail) => mail.includes(word));
  };
  const send = (body: unknown, token = shop().adminToken) =>
    shop().call('POST', '/api/notifications/send', { token, body });

  test.each([
    ['tok_ok', 100, 'order-confirmed', /confirmed/],
    ['tok_declined', 100, 'order-rejected', /card was declined/],
    ['tok_ok', 0, 'order-rejected', /do not have everything/],
  ])('with %s and stock %i the customer hears once: %s', async (token, stock, type, words) => {
    const customer = await shop().customer();
    const product = await shop().product({ stock });
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], token);
    const notification = await sentFor(customer, id);
    expect(notification).toEqual({
      id: expect.any(String),
      userId: customer.id,
      orderId: id,
      type,
      content: expect.stringMatching(words),
      status: 'sent',
      createdAt: expect.stringMatching(/Z$/),
    });
    const mails = await mailsNaming(id);
    expect(mails).toHaveLength(1);
    expect(mails[0]).toContain(`X-Order-ID: ${id}`);
    expect(mails[0]).toContain(customer.email);
    expect(mails[0]).toMatch(new RegExp(`^Message-ID:\\s+<${type}-${id}@`, 'm'));
  });

  test('a cancelled order is written about once', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
    await shop().call('DELETE', `/api/orders/${id}`, { token: customer.token });
    expect((await sentFor(customer, id)).type).toBe('order-cancelled');
    expect(await mailsNaming(id)).toHaveLength(1);
  });

  test('who registers is welcomed', async () => {
    const customer = await shop().customer();
    await shop().eventually(async () => {
      expect(await list(customer)).toMatchObject([{ type: 'welcome', orderId: null, status: 'sent' }]);
      expect(await mailsNaming(customer.email)).toHaveLength(1);
    });
  });

  test('an administrator writes to a user', async () => {
    const customer = await shop().customer();
    const answer = await send({ userId: customer.id, type: 'good-news', content: 'Ünïcode\nfigs are back' });
    expect(answer).toMatchObject({
      status: 202,
      body: { userId: customer.id, orderId: null, type: 'good-news', content: 'Ünïcode\nfigs are back' },
    });
    await shop().eventually(async () => {
      const mine = (await list(customer)).find((one) => one.id === answer.body.id);
      expect(mine).toMatchObject({ status: 'sent', type: 'good-news' });
    });
  });

  test('refuses bad words of an administrator, and everybody else', async () => {
    const customer = await shop().customer();
    const nobody = '0192aaaa-0000-7000-8000-000000000000';
    const unknown = await send({ userId: nobody, type: 'hello', content: 'x' });
    expect(unknown).toMatchObject({
      status: 422,
      body: { code: 'user-unknown', errors: [{ path: '/userId' }] },
    });
    const bad = await send({ userId: 'x', type: 'No Type', content: '', more: 1 });
    expect(bad.status).toBe(422);
    expect(bad.body.errors.map((one: { path: string }) => one.path).sort()).toEqual([
      '/content',
      '/more',
      '/type',
      '/userId',
    ]);
    expect((await send({ userId: customer.id, type: 'hello', content: 'a\u0000b' })).status).toBe(422);
    const message = { userId: customer.id, type: 'hello', content: 'x' };
    expect((await send(message, customer.token)).status).toBe(403);
    expect((await shop().call('POST', '/api/notifications/send', { body: message })).status).toBe(401);
  });

  test('a customer sees their own, page by page', async () => {
    const [customer, other] = await Promise.all([shop().customer(), shop().customer()]);
    for (const content of ['one', 'two', 'three']) await send({ userId: customer.id, type: 'note', content });
    await shop().eventually(async () => expect(await list(customer)).toHaveLength(4));
    await shop().eventually(async () => expect(await list(other)).toHaveLength(1));
    const first = await shop().call('GET', '/api/notifications?limit=3', { token: customer.token });
    expect(first.body.items).toHaveLength(3);
    expect(await list(customer, `cursor=${first.body.nextCursor}`)).toHaveLength(1);
    const bad = await shop().call('GET', '/api/notifications?cursor=x', { token: customer.token });
    expect(bad).toMatchObject({ status: 422, body: { code: 'bad-cursor' } });
    expect((await shop().call('GET', '/api/notifications')).status).toBe(401);
  });

  test('what a deleted user’s order still has to tell arrives', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const { id } = await shop().order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
    await shop().call('DELETE', '/api/users/me', { token: customer.token });
    await shop().eventually(async () => {
      const mails = await mailsNaming(id);
      expect(mails).toHaveLength(1);
      expect(mails[0]).toContain(`order-rejected-${id}`);
    });
    await shop().eventually(async () =>
      expect((await send({ userId: customer.id, type: 'hello', content: 'x' })).status).toBe(422),
    );
  });
});
