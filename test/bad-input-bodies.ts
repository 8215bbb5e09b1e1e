// Bad bodies: JSON that is none, fields of the wrong type, unknown fields, texts that no store can keep.
import { bodyLimitOf } from '../src/banyan/http/limits.ts';
import { notifications } from '../src/modules/notifications/contract.ts';
import { orders } from '../src/modules/orders/contract.ts';
import type { Case, Sent, World } from './bad-input.ts';
import { unique } from './shop.ts';

const good = (world: World) => ({
  lines: [{ productId: world.product.id, quantity: 1 }],
  paymentToken: 'tok_ok',
});

/** Places an order with these changes to a good body. */
const order =
  (change: (body: ReturnType<typeof good>, world: World) => unknown, key: string | null = unique('key')) =>
  (world: World): Sent => ({
    method: 'POST',
    path: '/api/orders',
    token: world.customer.token,
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { 'idempotency-key': key }) },
    body: change(good(world), world),
  });

const lines = (...wrong: unknown[]) => order((body) => ({ ...body, lines: wrong }));
const line = (change: object) => order((body) => ({ ...body, lines: [{ ...body.lines[0], ...change }] }));

const register =
  (body: unknown, headers: Record<string, string> = {}) =>
  (): Sent => ({
    method: 'POST',
    path: '/api/users',
    headers,
    body,
  });
const json = (body: string | Buffer) => register(body, { 'content-type': 'application/json' });
const account = { email: 'someone@example.com', name: 'Someone', password: 'long enough a password' };

const product =
  (change: object) =>
  (world: World): Sent => ({
    method: 'POST',
    path: '/api/catalog/products',
    token: world.admin,
    body: {
      sku: unique('bad'),
      name: 'A thing',
      description: 'Of some kind',
      priceCents: 100,
      currency: 'EUR',
      stock: 1,
      ...change,
    },
  });

const patchProduct =
  (body: object) =>
  (world: World): Sent => ({
    method: 'PATCH',
    path: `/api/catalog/products/${world.product.id}`,
    token: world.admin,
    body,
  });

const patchMe =
  (body: unknown) =>
  (world: World): Sent => ({
    method: 'PATCH',
    path: '/api/users/me',
    token: world.customer.token,
    body,
  });

const mail =
  (change: object) =>
  (world: World): Sent => ({
    method: 'POST',
    path: '/api/notifications/send',
    token: world.admin,
    body: { userId: world.customer.id, type: 'greeting', content: 'Hello', ...change },
  });

const nested = (depth: number, open: string, close: string) =>
  `{"email":${open.repeat(depth)}${close.repeat(depth)}}`;

/** JSON that has just as many bytes as may be, and one more (`beyond`); counted and in chunks. */
function atTheLimit(
  name: string,
  send: (body: string) => (world: World) => Sent,
  limit: number,
  status: number,
  paths?: readonly string[],
  beyond = 413,
): Case[] {
  return [false, true].flatMap((chunked) => {
    const how = chunked ? `${name}, in chunks` : name;
    const of = (length: number) => (world: World) => ({
      ...send(`{}${' '.repeat(length - 2)}`)(world),
      chunked,
    });
    return [
      { name: `${how}, of as many bytes as may be`, send: of(limit), status, ...(paths ? { paths } : {}) },
      { name: `${how}, of one byte more`, send: of(limit + 1), status: beyond },
    ];
  });
}

const objects = (depth: number) => nested(depth, '{"a":', '}').replace(/":\}/, '":1}');

export const bodies: readonly Case[] = [
  { name: 'JSON that breaks off', send: json('{"email":'), status: 400 },
  { name: 'JSON with single quotes', send: json("{'email':'a@b.example'}"), status: 400 },
  { name: 'JSON followed by more', send: json('{}{}'), status: 400 },
  { name: 'no JSON at all', send: json('email=a@b.example'), status: 400 },
  { name: 'JSON of spaces', send: json('   '), status: 400 },
  { name: 'an empty body', send: json(''), status: 422, paths: ['/email', '/name', '/password'] },
  {
    name: 'no body and no type',
    send: register(undefined),
    status: 422,
    paths: ['/email', '/name', '/password'],
  },
  { name: 'null', send: json('null'), status: 422, paths: ['/email', '/name', '/password'] },
  { name: 'an array', send: register([account]), status: 422, paths: [''] },
  { name: 'a text', send: json('"text"'), status: 422, paths: [''] },
  { name: 'a number', send: json('7'), status: 422, paths: [''] },
  { name: 'a zero', send: json('0'), status: 422, paths: [''] },
  { name: 'false', send: json('false'), status: 422, paths: [''] },
  {
    name: 'bytes that are no UTF-8',
    send: json(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
    status: 400,
  },
  { name: 'UTF-16', send: json(Buffer.from(JSON.stringify(account), 'utf16le')), status: 400 },
  {
    name: 'a key __proto__',
    send: json('{"__proto__":{"role":"admin"},"email":"a@b.example"}'),
    status: 400,
  },
  {
    name: 'a key __proto__ deep inside',
    send: json('{"name":{"a":[{"__proto__":{"role":"admin"}}]}}'),
    status: 400,
  },
  {
    name: 'a key __proto__ in escapes',
    send: json('{"\\u005f\\u005fproto\\u005f\\u005f":{"role":"admin"}}'),
    status: 400,
  },
  {
    name: 'a key constructor.prototype',
    send: json('{"constructor":{"prototype":{"role":"admin"}}}'),
    status: 400,
  },
  {
    name: 'a key constructor',
    send: register({ ...account, constructor: 'x' }),
    status: 422,
    paths: ['/constructor'],
  },
  {
    name: 'a key toString',
    send: register({ ...account, toString: 'x' }),
    status: 422,
    paths: ['/toString'],
  },
  {
    name: 'a key hasOwnProperty',
    send: register({ ...account, hasOwnProperty: 1 }),
    status: 422,
    paths: ['/hasOwnProperty'],
  },
  {
    name: 'a key with / and ~',
    send: register({ ...account, 'a/b~c': 1 }),
    status: 422,
    paths: ['/a~1b~0c'],
  },
  { name: 'an empty key', send: register({ ...account, '': 1 }), status: 422, paths: ['/'] },
  {
    name: 'a role of one’s own',
    send: register({ ...account, role: 'admin' }),
    status: 422,
    paths: ['/role'],
  },
  {
    name: 'an id of one’s own',
    send: register({ ...account, id: '019b76da-a800-7000-8000-01a6aa00d43e' }),
    status: 422,
    paths: ['/id'],
  },
  {
    name: 'several unknown fields',
    send: register({ ...account, a: 1, b: 2 }),
    status: 422,
    paths: ['/a', '/b'],
  },
  { name: 'objects nested 100,000 deep', send: json(objects(100_000)), status: 413 },
  { name: 'arrays nested 100,000 deep', send: json(nested(100_000, '[', ']')), status: 413 },
  {
    name: 'objects nested 9,000 deep',
    send: json(objects(9_000)),
    status: 422,
    paths: ['/email', '/name', '/password'],
  },
  {
    name: 'arrays nested 9,000 deep',
    send: json(nested(9_000, '[', ']')),
    status: 422,
    paths: ['/email', '/name', '/password'],
  },
  { name: 'arrays nested 30,000 deep', send: json(nested(30_000, '[', ']')), status: 422, paths: [''] },
  {
    name: 'the wrong types throughout',
    send: register({ email: 7, name: ['a'], password: { $ne: '' } }),
    status: 422,
    paths: ['/email', '/name', '/password'],
  },
  {
    name: 'null fields',
    send: register({ email: null, name: null, password: null }),
    status: 422,
    paths: ['/email', '/name', '/password'],
  },
  {
    name: 'an email that is none',
    send: register({ ...account, email: 'nobody' }),
    status: 422,
    paths: ['/email'],
  },
  {
    name: 'an email of two lines',
    send: register({ ...account, email: 'a@b.example\r\nBcc: c@d.example' }),
    status: 422,
    paths: ['/email'],
  },
  {
    name: 'an email of 300 characters',
    send: register({ ...account, email: `${'a'.repeat(288)}@example.com` }),
    status: 422,
    paths: ['/email'],
  },
  {
    name: 'a name with NUL',
    send: register({ ...account, name: 'a\u0000b' }),
    status: 422,
    paths: ['/name'],
  },
  {
    name: 'a name with a line break',
    send: register({ ...account, name: 'a\nb' }),
    status: 422,
    paths: ['/name'],
  },
  {
    name: 'a name with ESC',
    send: register({ ...account, name: '\u001b[31mred' }),
    status: 422,
    paths: ['/name'],
  },
  {
    name: 'a name with half a character',
    send: register({ ...account, name: 'a\ud800b' }),
    status: 422,
    paths: ['/name'],
  },
  { name: 'a name of spaces', send: register({ ...account, name: '   ' }), status: 422, paths: ['/name'] },
  { name: 'an empty name', send: register({ ...account, name: '' }), status: 422, paths: ['/name'] },
  {
    name: 'a name of 101 characters',
    send: register({ ...account, name: 'a'.repeat(101) }),
    status: 422,
    paths: ['/name'],
  },
  {
    name: 'a short password',
    send: register({ ...account, password: 'short' }),
    status: 422,
    paths: ['/password'],
  },
  {
    name: 'a password of 60 kB',
    send: register({ ...account, password: 'p'.repeat(60_000) }),
    status: 422,
    paths: ['/password'],
  },
  {
    name: 'sign in with a wrong password',
    send: (world) => ({
      method: 'POST',
      path: '/api/users/sessions',
      body: { email: world.customer.email, password: 'wrong password' },
    }),
    status: 401,
    code: 'bad-credentials',
  },
  {
    name: 'sign in as nobody',
    send: () => ({
      method: 'POST',
      path: '/api/users/sessions',
      body: { email: "' OR 1=1 --", password: "' OR 1=1 --" },
    }),
    status: 401,
    code: 'bad-credentials',
  },
  {
    name: 'sign in with operators',
    send: () => ({
      method: 'POST',
      path: '/api/users/sessions',
      body: { email: { $gt: '' }, password: { $gt: '' } },
    }),
    status: 422,
    paths: ['/email', '/password'],
  },
  {
    name: 'sign in with NUL',
    send: () => ({
      method: 'POST',
      path: '/api/users/sessions',
      body: { email: 'a\u0000', password: 'a\u0000' },
    }),
    status: 422,
    paths: ['/email'],
  },
  {
    name: 'sign in with half a character',
    send: (world) => ({
      method: 'POST',
      path: '/api/users/sessions',
      body: { email: world.customer.email, password: '\udc00' },
    }),
    status: 401,
    code: 'bad-credentials',
  },
  {
    name: 'a change to unknown fields of one’s own account',
    send: patchMe({ blocked: false, notificationCount: 0 }),
    status: 422,
    paths: ['/blocked', '/notificationCount'],
  },
  { name: 'a change to null', send: patchMe({ name: null }), status: 422, paths: ['/name'] },
  {
    name: 'a block that is a text',
    send: (world) => ({
      method: 'PATCH',
      path: `/api/users/${world.customer.id}`,
      token: world.admin,
      body: { blocked: 'true' },
    }),
    status: 422,
    paths: ['/blocked'],
  },
  {
    name: 'a body with the id of the path',
    send: (world) => ({
      method: 'PATCH',
      path: `/api/users/${world.customer.id}`,
      token: world.admin,
      body: { id: world.other.id, blocked: true },
    }),
    status: 422,
    paths: ['/id'],
  },

  { name: 'an order of nothing', send: order(() => ({})), status: 422, paths: ['/lines', '/paymentToken'] },
  {
    name: 'lines as a text',
    send: order((body) => ({ ...body, lines: 'all' })),
    status: 422,
    paths: ['/lines'],
  },
  {
    name: 'lines as an object',
    send: order((body) => ({ ...body, lines: { 0: body.lines[0], length: 1 } })),
    status: 422,
    paths: ['/lines'],
  },
  { name: 'no lines', send: lines(), status: 422, paths: ['/lines'] },
  { name: 'a line that is null', send: lines(null), status: 422, paths: ['/lines/0'] },
  {
    name: 'lines nested 9,000 deep',
    send: order((body) =>
      JSON.stringify(body).replace(/"lines":\[.*?\]/, `"lines":[${'['.repeat(9_000)}${']'.repeat(9_000)}]`),
    ),
    status: 422,
    paths: ['/lines/0'],
  },
  {
    name: '101 lines',
    send: order((body) => ({ ...body, lines: Array(101).fill(body.lines[0]) })),
    status: 422,
    paths: ['/lines'],
  },
  {
    name: '3,000 lines, all wrong',
    send: order((body) => ({ ...body, lines: Array(3_000).fill({ productId: 1 }) })),
    status: 422,
    // The first few say enough.
    paths: [0, 1, 2, 3].flatMap((line) => [`/lines/${line}/productId`, `/lines/${line}/quantity`]),
  },
  { name: 'a quantity as a text', send: line({ quantity: '1' }), status: 422, paths: ['/lines/0/quantity'] },
  { name: 'a quantity of 0', send: line({ quantity: 0 }), status: 422, paths: ['/lines/0/quantity'] },
  { name: 'a quantity below 0', send: line({ quantity: -1 }), status: 422, paths: ['/lines/0/quantity'] },
  { name: 'a broken quantity', send: line({ quantity: 1.5 }), status: 422, paths: ['/lines/0/quantity'] },
  {
    name: 'a quantity past every integer',
    send: line({ quantity: 2 ** 53 }),
    status: 422,
    paths: ['/lines/0/quantity'],
  },
  { name: 'a quantity of true', send: line({ quantity: true }), status: 422, paths: ['/lines/0/quantity'] },
  {
    name: 'a quantity that is infinite',
    send: (world) => ({
      ...line({})(world),
      headers: { 'idempotency-key': 'infinite', 'content-type': 'application/json' },
      body: JSON.stringify(good(world)).replace('"quantity":1', '"quantity":1e400'),
    }),
    status: 422,
    paths: ['/lines/0/quantity'],
  },
  {
    name: 'a product id that is none',
    send: line({ productId: "1'; DROP TABLE orders; --" }),
    status: 422,
    paths: ['/lines/0/productId'],
  },
  {
    name: 'a product id with braces',
    send: order((body) => ({
      ...body,
      lines: [{ productId: `{${body.lines[0]!.productId}}`, quantity: 1 }],
    })),
    status: 422,
    paths: ['/lines/0/productId'],
  },
  {
    name: 'an order of a product that does not exist',
    send: lines({ productId: '019b76da-a800-7000-8000-01a6aa00ffff', quantity: 1 }),
    status: 422,
    paths: ['/lines/0/productId'],
    code: 'product-unknown',
  },
  { name: 'a price of one’s own', send: line({ unitCents: 1 }), status: 422, paths: ['/lines/0/unitCents'] },
  {
    name: 'a total of one’s own',
    send: order((body) => ({ ...body, totalCents: 1 })),
    status: 422,
    paths: ['/totalCents'],
  },
  {
    name: 'somebody else’s user id',
    send: order((body, { other }) => ({ ...body, userId: other.id })),
    status: 422,
    paths: ['/userId'],
  },
  {
    name: 'the key in the body',
    send: order((body) => ({ ...body, idempotencyKey: 'x' })),
    status: 422,
    paths: ['/idempotencyKey'],
  },
  {
    name: 'a payment token as a number',
    send: order((body) => ({ ...body, paymentToken: 1 })),
    status: 422,
    paths: ['/paymentToken'],
  },
  {
    name: 'a payment token of two lines',
    send: order((body) => ({ ...body, paymentToken: 'tok_ok\n' })),
    status: 422,
    paths: ['/paymentToken'],
  },
  {
    name: 'a payment token with half a character',
    send: order((body) => ({ ...body, paymentToken: 'tok\udfff' })),
    status: 422,
    paths: ['/paymentToken'],
  },
  {
    name: 'products of two currencies',
    send: order((body, { inDollars }) => ({
      ...body,
      lines: [...body.lines, { productId: inDollars.id, quantity: 1 }],
    })),
    status: 422,
    paths: ['/lines/1/productId'],
    code: 'mixed-currencies',
  },
  {
    name: 'more than can be charged',
    send: order((body, { dear }) => ({ ...body, lines: [{ productId: dear.id, quantity: 2 }] })),
    status: 422,
    paths: ['/lines'],
    code: 'total-too-large',
  },
  {
    name: 'an order without a key',
    send: order((body) => body, null),
    status: 422,
    paths: ['/Idempotency-Key'],
  },
  {
    name: 'an empty key of idempotency',
    send: order((body) => body, ''),
    status: 422,
    paths: ['/Idempotency-Key'],
  },
  {
    name: 'a key of 256 characters',
    send: order((body) => body, 'k'.repeat(256)),
    status: 422,
    paths: ['/Idempotency-Key'],
  },
  { name: 'a key with a tab', send: order((body) => body, 'a\tb'), status: 422, paths: ['/Idempotency-Key'] },
  {
    name: 'a key used for another body',
    send: (world) => ({ ...order((body) => body)(world), headers: { 'idempotency-key': world.usedKey } }),
    status: 422,
    paths: ['/Idempotency-Key'],
    code: 'idempotency-key-reused',
  },

  { name: 'a price as a text', send: product({ priceCents: '100' }), status: 422, paths: ['/priceCents'] },
  { name: 'a price below 0', send: product({ priceCents: -1 }), status: 422, paths: ['/priceCents'] },
  { name: 'a price of half a cent', send: product({ priceCents: 0.5 }), status: 422, paths: ['/priceCents'] },
  {
    name: 'a currency in small letters',
    send: product({ currency: 'eur' }),
    status: 422,
    paths: ['/currency'],
  },
  {
    name: 'a currency with a line break',
    send: product({ currency: 'EUR\n' }),
    status: 422,
    paths: ['/currency'],
  },
  { name: 'a stock past 32 bits', send: product({ stock: 2 ** 31 }), status: 422, paths: ['/stock'] },
  { name: 'a SKU with markup', send: product({ sku: '<script>' }), status: 422, paths: ['/sku'] },
  {
    name: 'a SKU that is taken',
    send: (world) => product({ sku: world.product.sku })(world),
    status: 409,
    paths: ['/sku'],
    code: 'sku-taken',
  },
  {
    name: 'a description with NUL',
    send: product({ description: 'a\u0000' }),
    status: 422,
    paths: ['/description'],
  },
  {
    name: 'a description with half a character',
    send: product({ description: 'a\ud83d' }),
    status: 422,
    paths: ['/description'],
  },
  {
    name: 'an image id that is none',
    send: product({ imageId: '../../etc/passwd' }),
    status: 422,
    paths: ['/imageId'],
  },
  {
    name: 'a product with an id of one’s own',
    send: product({ id: '019b76da-a800-7000-8000-01a6aa00d43e' }),
    status: 422,
    paths: ['/id'],
  },
  {
    name: 'a change of a product to the wrong types',
    send: patchProduct({ priceCents: null, stock: [] }),
    status: 422,
    paths: ['/priceCents', '/stock'],
  },
  {
    name: 'a change of a product with half a character',
    send: patchProduct({ name: '\ud800' }),
    status: 422,
    paths: ['/name'],
  },

  {
    name: 'a mail to nobody',
    send: mail({ userId: '019b76da-a800-7000-8000-01a6aa00ffff' }),
    status: 422,
    code: 'user-unknown',
    paths: ['/userId'],
  },
  { name: 'a mail of no kind', send: mail({ type: 'With Spaces\r\n' }), status: 422, paths: ['/type'] },
  { name: 'a mail with NUL', send: mail({ content: 'a\u0000' }), status: 422, paths: ['/content'] },
  {
    name: 'a mail with half a character',
    send: mail({ content: '\udc00' }),
    status: 422,
    paths: ['/content'],
  },
  { name: 'an empty mail', send: mail({ content: '' }), status: 422, paths: ['/content'] },

  {
    name: 'plain text',
    send: register(JSON.stringify(account), { 'content-type': 'text/plain' }),
    status: 415,
  },
  {
    name: 'a form',
    send: register('email=a%40b.example', { 'content-type': 'application/x-www-form-urlencoded' }),
    status: 415,
  },
  { name: 'XML', send: register('<email/>', { 'content-type': 'application/xml' }), status: 415 },
  {
    name: 'JSON of another kind',
    send: register('{}', { 'content-type': 'application/jsonp' }),
    status: 415,
  },
  { name: 'a content type that is none', send: register('{}', { 'content-type': ';;;' }), status: 415 },
  { name: 'a body of no type', send: register(JSON.stringify(account)), status: 415 },
  {
    name: 'a compressed body',
    send: register(Buffer.from([0x1f, 0x8b, 8, 0]), {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    }),
    status: 400,
  },
  {
    name: 'multipart where JSON belongs',
    send: register('--x\r\n\r\n--x--', { 'content-type': 'multipart/form-data; boundary=x' }),
    status: 415,
  },
  ...atTheLimit('an account', json, 64 * 1024, 422, ['/email', '/name', '/password']),
  ...atTheLimit('an order', (body) => order(() => body), bodyLimitOf(orders.operations.place), 422, [
    '/lines',
    '/paymentToken',
  ]),
  ...atTheLimit(
    'a mail',
    (body) => (world) => ({
      ...mail({})(world),
      headers: { 'content-type': 'application/json' },
      body,
    }),
    bodyLimitOf(notifications.operations.send),
    422,
    ['/content', '/type', '/userId'],
  ),
  ...atTheLimit(
    'no operation at all',
    (body) => () => ({
      method: 'POST',
      path: '/api/orders/none/at/all',
      headers: { 'content-type': 'application/json' },
      body,
    }),
    64 * 1024,
    404,
    undefined,
    404,
  ),
  ...atTheLimit(
    'a method there is not',
    (body) => () => ({
      method: 'PUT',
      path: '/api/orders',
      headers: { 'content-type': 'application/json' },
      body,
    }),
    64 * 1024,
    405,
    undefined,
    405,
  ),
  {
    name: 'much text for no operation at all',
    send: () => ({
      method: 'POST',
      path: '/api/orders/none/at/all',
      headers: { 'content-type': 'text/plain' },
      body: 'x'.repeat(300_000),
    }),
    status: 404,
  },
  {
    name: 'much text where JSON belongs',
    send: register('x'.repeat(300_000), { 'content-type': 'text/plain' }),
    status: 415,
  },
  {
    name: 'much JSON where a file belongs',
    send: (world) => ({
      method: 'POST',
      path: '/api/media',
      token: world.customer.token,
      headers: { 'content-type': 'application/json' },
      body: `{"a":"${'x'.repeat(9_000_000)}"}`,
    }),
    status: 415,
  },
  {
    name: '6,000 unknown fields',
    send: register({
      ...account,
      ...Object.fromEntries(Array.from({ length: 6_000 }, (_, n) => [`a${n}`, 1])),
    }),
    status: 422,
    // The first few say enough.
    paths: Array.from({ length: 8 }, (_, n) => `/a${n}`),
  },
  {
    name: '20,000 values',
    send: register({ ...account, name: Array(20_000).fill(1) }),
    status: 422,
    paths: [''],
  },
  {
    name: 'an unknown field of a very long name',
    send: register({ ...account, ['n'.repeat(60_000)]: 1 }),
    status: 422,
    paths: [`/${'n'.repeat(100)}…`],
  },
  {
    name: 'a number of 60,000 digits',
    send: json(`{"email":${'7'.repeat(60_000)}}`),
    status: 422,
    paths: ['/email', '/name', '/password'],
  },
  {
    name: 'the same name 5,000 times',
    send: json(`{${'"email":1,'.repeat(5_000)}"email":1}`),
    status: 422,
    paths: ['/email', '/name', '/password'],
  },
  {
    name: 'thousands of query parameters',
    send: () => ({
      path: `/api/catalog/products?${Array.from({ length: 1_500 }, (_, n) => `a${n}=1`).join('&')}`,
    }),
    status: 422,
    paths: Array.from({ length: 8 }, (_, n) => `/a${n}`),
  },
  {
    name: 'thousands of query parameters beside a body',
    send: () => ({
      ...register(account)(),
      path: `/api/users?${Array.from({ length: 1_500 }, (_, n) => `a${n}=1`).join('&')}`,
    }),
    status: 422,
    paths: Array.from({ length: 10 }, (_, n) => `/a${n}`),
  },
  { name: 'a body of 1.5 MB', send: register({ ...account, name: 'a'.repeat(1_500_000) }), status: 413 },
  {
    name: 'a body of 1.5 MB in chunks',
    send: () => ({ ...register({ ...account, name: 'a'.repeat(1_500_000) })(), chunked: true }),
    status: 413,
  },
  {
    name: '1.5 MB of lines',
    send: order((body) => ({ ...body, lines: Array(20_000).fill(body.lines[0]) })),
    status: 413,
  },
  {
    name: 'a body where none belongs',
    send: (world) => ({
      method: 'DELETE',
      path: `/api/orders/${world.foreignOrder}`,
      token: world.customer.token,
      body: { why: 'x' },
    }),
    status: 422,
    paths: [''],
  },

  {
    name: 'a placement of no module',
    send: (world) => ({
      method: 'PUT',
      path: '/admin/placements/nope',
      token: world.admin,
      body: { placement: 'service' },
    }),
    status: 404,
    code: 'module-unknown',
  },
  {
    name: 'a placement of __proto__',
    send: (world) => ({
      method: 'PUT',
      path: '/admin/placements/__proto__',
      token: world.admin,
      body: { placement: 'service' },
    }),
    status: 404,
    code: 'module-unknown',
  },
  {
    name: 'a placement that is none',
    send: (world) => ({
      method: 'PUT',
      path: '/admin/placements/orders',
      token: world.admin,
      body: { placement: 'elsewhere' },
    }),
    status: 422,
    paths: ['/placement'],
  },
  {
    name: 'a placement with a percentage',
    send: (world) => ({
      method: 'PUT',
      path: '/admin/placements/orders',
      token: world.admin,
      body: { placement: 'service', percent: 50 },
    }),
    status: 422,
    paths: ['/percent'],
  },
  {
    name: 'no placement',
    send: (world) => ({ method: 'PUT', path: '/admin/placements/orders', token: world.admin }),
    status: 422,
    paths: ['/placement'],
  },
  {
    name: 'a change by too long a name',
    send: (world) => ({
      method: 'PUT',
      path: '/admin/placements/orders',
      token: world.admin,
      headers: { 'x-changed-by': 'x'.repeat(101) },
      body: { placement: 'service' },
    }),
    status: 422,
    paths: ['/X-Changed-By'],
  },
  {
    name: 'fewer than no instances',
    send: (world) => ({
      method: 'PUT',
      path: '/admin/services/orders',
      token: world.admin,
      body: { instances: -1 },
    }),
    status: 422,
    paths: ['/instances'],
  },
  {
    name: 'a thousand instances',
    send: (world) => ({
      method: 'PUT',
      path: '/admin/services/orders',
      token: world.admin,
      body: { instances: 1000 },
    }),
    status: 422,
    paths: ['/instances'],
  },
  {
    name: 'instances as a text',
    send: (world) => ({
      method: 'PUT',
      path: '/admin/services/orders',
      token: world.admin,
      body: { instances: '1' },
    }),
    status: 422,
    paths: ['/instances'],
  },
  {
    name: 'instances of no module',
    send: (world) => ({
      method: 'PUT',
      path: '/admin/services/%252fetc',
      token: world.admin,
      body: { instances: 1 },
    }),
    status: 404,
    code: 'module-unknown',
  },
];
