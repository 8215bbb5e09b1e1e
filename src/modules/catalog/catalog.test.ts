// Catalog as customers and administrators see it: every answer, every error, and what orders do to the
// stock. The same tests run with the module in the process and extracted.
import { expect, test } from 'vitest';
import { inBothPlacements, type Shop, unique } from '../../../test/shop.ts';

type Customer = Awaited<ReturnType<Shop['customer']>>;

const products = '/api/catalog/products';
const nobody = '0192aaaa-0000-7000-8000-000000000000';

inBothPlacements('catalog', (shop) => {
  const list = (query: Record<string, string> = {}) =>
    shop().call('GET', `${products}?${new URLSearchParams(query)}`);
  const get = (id: string) => shop().call('GET', `${products}/${id}`);
  const change = (id: string, body: unknown, token: string | undefined = shop().adminToken) =>
    shop().call('PATCH', `${products}/${id}`, { token, body });
  const create = (fields: Record<string, unknown> = {}, token: string | undefined = shop().adminToken) =>
    shop().call('POST', products, { token, body: { ...valid(), ...fields } });
  const valid = () => ({
    sku: unique('sku'),
    name: 'Fig',
    description: 'A fig',
    priceCents: 250,
    currency: 'EUR',
    stock: 7,
  });
  const stockOf = async (id: string) => (await get(id)).body.stock as number;
  const names = (body: { items: { name: string }[] }) => body.items.map((item) => item.name);
  const cancel = (customer: Customer, id: string) =>
    shop().call('DELETE', `/api/orders/${id}`, { token: customer.token });

  test('a shop that was just started has products with pictures, dressed in EUR', async () => {
    const { status, body } = await list({ limit: '100' });
    expect(status).toBe(200);
    expect(body.items).toHaveLength(100);
    expect(body.nextCursor).toEqual(expect.any(String));
    const first = body.items[0];
    expect(first).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{14}7[0-9a-f]{3}-/),
      sku: expect.any(String),
      name: expect.any(String),
      description: expect.any(String),
      priceCents: expect.any(Number),
      currency: 'EUR',
      stock: expect.any(Number),
      imageId: expect.any(String),
    });
    expect((await get(first.id)).body).toMatchObject({ id: first.id, sku: first.sku });
    expect((await shop().call('GET', `/api/media/${first.imageId}?variant=thumb`)).status).toBe(200);
  });

  test('a product is created, and read as it was answered', async () => {
    const wanted = valid();
    const created = await shop().call('POST', products, { token: shop().adminToken, body: wanted });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({ id: expect.any(String), ...wanted, imageId: null });
    const read = await get(created.body.id);
    expect(read.status).toBe(200);
    expect(read.body).toEqual(created.body);
    expect((await get(created.body.id.toUpperCase())).body).toEqual(created.body);
    const [seeded] = (await list({ limit: '1' })).body.items;
    expect((await create({ imageId: seeded.imageId })).body.imageId).toBe(seeded.imageId);
  });

  test('only who is admin adds and changes', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const anonymous = await shop().call('POST', products, { body: valid() });
    expect([anonymous.status, (await create({}, customer.token)).status]).toEqual([401, 403]);
    const unnamed = await shop().call('PATCH', `${products}/${product.id}`, { body: { stock: 1 } });
    const refused = await change(product.id, { stock: 1 }, customer.token);
    expect([unnamed.status, refused.status]).toEqual([401, 403]);
    expect(await stockOf(product.id)).toBe(100);
  });

  test.each([
    ['/sku', { sku: '' }],
    ['/sku', { sku: 'two words' }],
    ['/sku', { sku: 'x'.repeat(65) }],
    ['/name', { name: '' }],
    ['/name', { name: 'a\0b' }],
    ['/description', { description: 'x'.repeat(5001) }],
    ['/priceCents', { priceCents: -1 }],
    ['/priceCents', { priceCents: 1.5 }],
    ['/priceCents', { priceCents: '250' }],
    ['/currency', { currency: 'euro' }],
    ['/stock', { stock: -1 }],
    ['/stock', { stock: 1_000_000_001 }],
    ['/imageId', { imageId: 'x' }],
  ])('a bad %s is named, on creating and on changing', async (path, fields) => {
    const product = await shop().product();
    for (const answer of [await create(fields), await change(product.id, fields)]) {
      expect(answer).toMatchObject({ status: 422, body: { code: 'invalid' } });
      expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    }
    expect((await get(product.id)).body).toEqual(product);
  });

  test('a missing or an unknown field is refused', async () => {
    const { name: _, ...nameless } = valid();
    const missing = await shop().call('POST', products, { token: shop().adminToken, body: nameless });
    expect(missing).toMatchObject({ status: 422, body: { code: 'invalid' } });
    expect((await create({ colour: 'red' })).status).toBe(422);
    expect((await get('not-an-id')).status).toBe(422);
  });

  test('a SKU is unique, also among twenty who want it at once', async () => {
    const sku = unique('wanted');
    const answers = await Promise.all(Array.from({ length: 20 }, () => create({ sku })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(19);
    expect(refused[0]!.headers.get('content-type')).toContain('application/problem+json');
    expect(refused[0]!.body).toMatchObject({ code: 'sku-taken', errors: [{ path: '/sku' }] });
    const other = await shop().product();
    const moved = await change(other.id, { sku });
    expect(moved).toMatchObject({ status: 409, body: { code: 'sku-taken', errors: [{ path: '/sku' }] } });
    expect((await get(other.id)).body).toEqual(other);
  });

  test('a change touches only the fields it names', async () => {
    const product = await shop().product({ stock: 3 });
    const dearer = await change(product.id, { priceCents: 10_000_000_000 });
    expect(dearer.status).toBe(200);
    expect(dearer.body).toEqual({ ...product, priceCents: 10_000_000_000 });
    const sku = unique('sku');
    const rest = { sku, name: 'B', description: '', currency: 'CHF', stock: 0, imageId: nobody };
    expect((await change(product.id, rest)).body).toEqual({ ...dearer.body, ...rest });
    expect((await change(product.id, { imageId: null })).body.imageId).toBeNull();
    expect((await change(product.id, {})).body).toEqual((await get(product.id)).body);
  });

  test('what does not exist is 404', async () => {
    for (const answer of [await get(nobody), await change(nobody, { stock: 1 }), await change(nobody, {})]) {
      expect(answer).toMatchObject({ status: 404, body: { code: 'product-unknown' } });
    }
  });

  test('pages walk over everything once, in the order of creation', async () => {
    const word = unique('walk');
    const made: string[] = [];
    for (let number = 0; number < 7; number++) {
      made.push((await shop().product({ description: `about ${word}` })).id);
    }
    const seen: string[] = [];
    let cursor: string | null | undefined;
    do {
      const { status, body } = await list({ q: word, limit: '3', ...(cursor ? { cursor } : {}) });
      expect(status).toBe(200);
      seen.push(...body.items.map((item: { id: string }) => item.id));
      cursor = body.nextCursor;
    } while (cursor);
    expect(seen).toEqual(made);
    expect((await list({ q: word, limit: '7' })).body.nextCursor).toBeNull();
  });

  test('a page has 20 products unless told, and 1 to 100', async () => {
    expect((await list()).body.items).toHaveLength(20);
    for (const limit of ['0', '101', 'x']) {
      const { status, body } = await list({ limit });
      expect([status, body.errors[0].path]).toEqual([422, '/limit']);
    }
  });

  test.each(['x', nobody, 'a'.repeat(22), '-'.repeat(22), '%00', 'a b', 'AZt22qgAcACAAAQAAAAAAA=='])(
    'the cursor %s is refused',
    async (cursor) => {
      const answer = await list({ cursor });
      expect(answer).toMatchObject({ status: 422, body: { code: 'bad-cursor' } });
      expect(answer.body.errors).toMatchObject([{ path: '/cursor' }]);
    },
  );

  test('searches name and description, whatever the case', async () => {
    const word = unique('Straße');
    await shop().product({ name: `In the ${word} name` });
    await shop().product({
      name: 'Second',
      description: `its ${word.toUpperCase().replace('SS', 'ß')} text`,
    });
    expect(names((await list({ q: word.toLowerCase() })).body)).toEqual([`In the ${word} name`, 'Second']);
    expect((await list({ q: `${word} nowhere` })).body).toEqual({ items: [], nextCursor: null });
    expect((await list({ q: '' })).body.items).toHaveLength(20);
  });

  test.each([
    ['é', 'e\u0301'],
    ['Å', 'A\u030a'],
    ['Å', '\u212b'],
    ['ệ', 'e\u0302\u0323'],
    ['한', '\u1112\u1161\u11ab'],
    ['が', 'か\u3099'],
  ])('finds %s in either of its forms by the other', async (one, other) => {
    const word = unique('form');
    const made = [
      await shop().product({ name: `${word} ${one}x` }),
      await shop().product({ name: `${word} ${other}x` }),
      await shop().product({ name: 'Told of below', description: `${word} ${other}x` }),
    ];
    const changed = await shop().product({ name: 'Old' });
    expect((await change(changed.id, { name: `${word} ${other}x` })).body.name).toBe(`${word} ${one}x`);
    for (const q of [one, other]) {
      const { items } = (await list({ q: `${word} ${q}X` })).body;
      expect(items.map(({ id }: { id: string }) => id)).toEqual([...made, changed].map(({ id }) => id));
    }
    expect((await get(made[1]!.id)).body.name.normalize('NFD')).toBe(`${word} ${other}x`.normalize('NFD'));
  });

  test('takes %, _ and \\ in a search for themselves', async () => {
    const word = unique('like');
    for (const name of ['100%', '100x', 'a_b', 'axb', 'a\\b', "it's"]) {
      await shop().product({ name: `${word} ${name}` });
    }
    for (const name of ['100%', 'a_b', 'a\\b', "it's"]) {
      expect(names((await list({ q: `${word} ${name}` })).body), name).toEqual([`${word} ${name}`]);
    }
    expect((await list({ q: `${word}%` })).body.items).toEqual([]);
    expect((await list({ q: '\0' })).status).toBe(422);
  });

  test('an order takes stock, and keeps it when it is confirmed', async () => {
    const customer = await shop().customer();
    const a = await shop().product({ stock: 5 });
    const b = await shop().product({ stock: 2 });
    const lines = [
      { productId: b.id, quantity: 2 },
      { productId: a.id, quantity: 1 },
      { productId: a.id, quantity: 3 },
    ];
    const { id } = await shop().order(customer, lines);
    expect(await shop().final(customer, id)).toMatchObject({ status: 'confirmed' });
    expect([await stockOf(a.id), await stockOf(b.id)]).toEqual([1, 0]);
  });

  test('an order gets everything it wants or nothing', async () => {
    const customer = await shop().customer();
    const plenty = await shop().product({ stock: 50 });
    const scarce = await shop().product({ stock: 3 });
    const lines = [
      { productId: plenty.id, quantity: 10 },
      { productId: scarce.id, quantity: 2 },
      { productId: scarce.id, quantity: 2 },
    ];
    const { id } = await shop().order(customer, lines);
    expect(await shop().final(customer, id)).toMatchObject({ status: 'rejected', reason: 'out-of-stock' });
    // One event after the order's rejection has gone through catalog, too: nothing came back that was never taken.
    const next = await shop().order(customer, [{ productId: plenty.id, quantity: 1 }]);
    await shop().final(customer, next.id);
    expect([await stockOf(plenty.id), await stockOf(scarce.id)]).toEqual([49, 3]);
  });

  test('the last item wanted by 50 at once is sold once', { timeout: 30_000 }, async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 1 });
    const want = () => shop().order(customer, [{ productId: product.id, quantity: 1 }]);
    const placed = await Promise.all(Array.from({ length: 50 }, want));
    const ended = await Promise.all(placed.map(({ id }) => shop().final(customer, id)));
    expect(ended.filter(({ status }) => status === 'confirmed')).toHaveLength(1);
    expect(ended.filter(({ reason }) => reason === 'out-of-stock')).toHaveLength(49);
    expect(await stockOf(product.id)).toBe(0);
  });

  test('orders for the same products in opposite order all end', { timeout: 30_000 }, async () => {
    const customer = await shop().customer();
    const a = await shop().product({ stock: 100 });
    const b = await shop().product({ stock: 100 });
    const there = [a, b].map(({ id }) => ({ productId: id, quantity: 1 }));
    const back = [...there].reverse();
    const placed = await Promise.all(
      Array.from({ length: 30 }, (_, number) => shop().order(customer, number % 2 ? there : back)),
    );
    const ended = await Promise.all(placed.map(({ id }) => shop().final(customer, id)));
    expect(ended.map(({ status }) => status)).toEqual(Array(30).fill('confirmed'));
    expect([await stockOf(a.id), await stockOf(b.id)]).toEqual([70, 70]);
  });

  test('a declined card gives the stock back, for the next who pays', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 4 });
    const lines = [{ productId: product.id, quantity: 4 }];
    const { id } = await shop().order(customer, lines, 'tok_declined');
    expect(await shop().final(customer, id)).toMatchObject({ reason: 'payment-declined' });
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(4));
    const next = await shop().order(customer, lines);
    expect(await shop().final(customer, next.id)).toMatchObject({ status: 'confirmed' });
    expect(await stockOf(product.id)).toBe(0);
  });

  test('a cancelled order gives its stock back, whenever it is cancelled', { timeout: 30_000 }, async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 10 });
    const lines = [{ productId: product.id, quantity: 5 }];
    const waiting = await shop().order(customer, lines, 'tok_timeout');
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(5));
    expect((await cancel(customer, waiting.id)).status).toBeLessThan(300);
    const atOnce = await shop().order(customer, lines, 'tok_timeout');
    expect((await cancel(customer, atOnce.id)).status).toBeLessThan(300);
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(10));
    for (const { id } of [waiting, atOnce]) {
      expect(await shop().final(customer, id)).toMatchObject({ status: 'cancelled' });
    }
  });

  test('an administrator sets what can be sold, whatever is reserved', { timeout: 30_000 }, async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 1 });
    const lines = [{ productId: product.id, quantity: 1 }];
    const { id } = await shop().order(customer, lines, 'tok_timeout');
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(0));
    expect((await change(product.id, { stock: 8 })).body.stock).toBe(8);
    expect((await cancel(customer, id)).status).toBeLessThan(300);
    await shop().eventually(async () => expect(await stockOf(product.id)).toBe(9));
  });

  test('the price of an order is that of the moment it was placed', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ priceCents: 300 });
    const order = await shop().order(customer, [{ productId: product.id, quantity: 2 }]);
    await change(product.id, { priceCents: 900 });
    expect(await shop().final(customer, order.id)).toMatchObject({ totalCents: 600 });
  });
});
