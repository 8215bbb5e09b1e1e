// What catalog promises: products, their prices, and the reservation of stock for orders.
import type { Static } from 'typebox';
import {
  cents,
  closed,
  currency,
  defineContract,
  event,
  id,
  line,
  nullable,
  operation,
  page,
  paging,
  plain,
  prose,
  Type,
} from '#banyan';

/** Of the examples: a product and a picture that a new shop has. */
const PRODUCT_ID = '019b76da-a800-7000-8000-01a6aa00d43e';
const PICTURE_ID = '01900000-0000-7000-8000-000000000001';
const words = {
  sku: ['KIT-JUG-TIN'],
  name: ['Tin jug'],
  description: ['Holds a litre, and does not break.'],
};

const sku = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9._-]+$', examples: words.sku });
const name = line({ minLength: 1, maxLength: 200, examples: words.name });
const description = prose({ maxLength: 5000, examples: words.description });
const stock = Type.Integer({ minimum: 0, maximum: 1_000_000_000 });

export const Product = Type.Object({
  id: id(),
  sku: Type.String({ examples: words.sku }),
  name: Type.String({ examples: words.name }),
  description: Type.String({ examples: words.description }),
  priceCents: cents(),
  currency: currency(),
  /** What can still be sold: reservations are already taken off. */
  stock: plain(Type.Integer()),
  imageId: nullable(id()),
});
export type Product = Static<typeof Product>;

/** How often it took to be done; absent: once. */
const attempts = Type.Optional(plain(Type.Integer({ minimum: 1 })));
/** Orders of the style `orchestration` are driven by their coordinator: who hears of them does not act on it. */
const saga = Type.Optional(plain(Type.String()));
const where = plain(Type.String({ description: 'The host that did it' }));
/** On either side another host. */
const shadow = { ignore: ['/body/where'] };

const ReservedLine = Type.Object({ productId: id(), quantity: plain(Type.Integer()) });

export const catalog = defineContract('catalog', {
  summary: 'Products, prices and stock',
  errors: {
    'product-unknown': { status: 404, title: 'No such product' },
    'sku-taken': { status: 409, title: 'The SKU is already used' },
    'bad-cursor': { status: 422, title: 'The cursor is not one that this list gave' },
  },
  operations: {
    listProducts: operation({
      summary: 'Products, newest id last, optionally those whose name or description contains q',
      access: 'public',
      http: { method: 'GET', path: '/api/catalog/products' },
      input: closed({ q: Type.Optional(prose({ maxLength: 200, examples: ['steel'] })), ...paging }),
      example: () => ({ cursor: 'AZt22qgAcACAAAGmqgDUPg' }),
      output: page(Product),
      idempotent: true,
      errors: ['bad-cursor'],
    }),
    getProduct: operation({
      summary: 'One product',
      access: 'public',
      http: { method: 'GET', path: '/api/catalog/products/:id' },
      input: closed({ id: id(undefined, PRODUCT_ID) }),
      output: Product,
      idempotent: true,
      errors: ['product-unknown'],
    }),
    createProduct: operation({
      summary: 'Add a product',
      access: 'admin',
      scope: 'store',
      http: { method: 'POST', path: '/api/catalog/products', status: 201 },
      input: closed({
        sku,
        name,
        description,
        priceCents: cents(),
        currency: currency(),
        stock,
        imageId: Type.Optional(nullable(id(undefined, PICTURE_ID))),
      }),
      output: Product,
      idempotent: false,
      errors: ['sku-taken'],
    }),
    changeProduct: operation({
      summary: 'Change a product; stock sets what can be sold from now on',
      access: 'admin',
      scope: 'store',
      http: { method: 'PATCH', path: '/api/catalog/products/:id' },
      input: closed({
        id: id(),
        sku: Type.Optional(sku),
        name: Type.Optional(name),
        description: Type.Optional(description),
        priceCents: Type.Optional(cents()),
        currency: Type.Optional(currency()),
        stock: Type.Optional(stock),
        imageId: Type.Optional(nullable(id(undefined, PICTURE_ID))),
      }),
      output: Product,
      idempotent: true,
      errors: ['product-unknown', 'sku-taken'],
    }),
    priceProducts: operation({
      summary: 'Names and prices of the products that exist among these ids',
      access: 'internal',
      input: closed({ ids: Type.Array(id(), { minItems: 1, maxItems: 100 }) }),
      output: Type.Object({
        items: Type.Array(
          Type.Object({ id: id(), name: Type.String(), priceCents: cents(), currency: currency() }),
        ),
      }),
      shadow: { reads: true },
      idempotent: true,
    }),
    reserve: operation({
      summary: 'Set aside everything that an order wants, or nothing',
      access: 'internal',
      input: closed({
        orderId: id(),
        userId: id(),
        lines: Type.Array(ReservedLine),
        totalCents: cents(),
        currency: currency(),
        paymentToken: Type.String({ description: "The card's token, sealed for payments (compact JWE)" }),
        saga,
      }),
      output: Type.Object({
        /** released: the order ended before; it gets nothing. */
        state: plain(
          Type.Union([
            Type.Literal('reserved'),
            Type.Literal('refused'),
            Type.Literal('sold'),
            Type.Literal('released'),
          ]),
        ),
        where,
      }),
      shadow,
      idempotent: true,
    }),
    release: operation({
      summary: 'Give back what was set aside for an order, also when that comes only later',
      access: 'internal',
      input: closed({ orderId: id() }),
      output: Type.Object({ where }),
      shadow,
      idempotent: true,
    }),
    sell: operation({
      summary: 'What was set aside for an order is bought',
      access: 'internal',
      input: closed({ orderId: id() }),
      output: Type.Object({ where }),
      shadow,
      idempotent: true,
    }),
  },
  events: {
    'product-created': event({
      summary: 'A product was added',
      version: 1,
      key: 'productId',
      data: Type.Object({ productId: id(), product: Product }),
    }),
    'product-changed': event({
      summary: 'A product was changed by an administrator',
      version: 1,
      key: 'productId',
      data: Type.Object({ productId: id(), product: Product }),
    }),
    'stock-reserved': event({
      summary: 'Everything an order wants is set aside for it',
      version: 1,
      key: 'orderId',
      data: Type.Object({
        orderId: id(),
        userId: id(),
        lines: Type.Array(ReservedLine),
        totalCents: cents(),
        currency: currency(),
        paymentToken: Type.String({ description: "The card's token, sealed for payments (compact JWE)" }),
        saga,
        attempts,
      }),
    }),
    'stock-refused': event({
      summary: 'Not everything an order wants is there; nothing was set aside',
      version: 1,
      key: 'orderId',
      data: Type.Object({ orderId: id(), productIds: Type.Array(id()), attempts }),
    }),
    'stock-released': event({
      summary: 'What was set aside for an order can be sold again',
      version: 1,
      key: 'orderId',
      data: Type.Object({ orderId: id(), lines: Type.Array(ReservedLine), attempts }),
    }),
  },
});
