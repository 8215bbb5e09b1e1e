// The three contracts of the work, as a module of the product writes its own.
import { Type } from 'typebox';
import { closed, defineContract, operation } from '../../../src/banyan/contract/contract.ts';
import { id } from '../../../src/banyan/contract/fields.ts';

const User = Type.Object({ id: id(), name: Type.String(), email: Type.String(), address: Type.String() });
const Product = Type.Object({
  id: id(),
  name: Type.String(),
  priceCents: Type.Integer(),
  text: Type.String(),
});

export const users = defineContract('users', {
  summary: 'Customers',
  operations: {
    get: operation({
      summary: 'One customer',
      access: 'internal',
      input: closed({ id: id() }),
      output: User,
      idempotent: true,
    }),
  },
});

export const catalog = defineContract('catalog', {
  summary: 'Products',
  operations: {
    list: operation({
      summary: 'Products by id',
      access: 'internal',
      input: closed({ ids: Type.Array(id(), { maxItems: 100 }) }),
      output: Type.Object({ items: Type.Array(Product) }),
      idempotent: true,
    }),
  },
});

export const orders = defineContract('orders', {
  summary: 'Orders',
  operations: {
    get: operation({
      summary: 'An order with its customer and its products',
      access: 'public',
      http: { method: 'GET', path: '/api/orders/:id' },
      input: closed({ id: id() }),
      output: Type.Object({
        id: id(),
        user: User,
        lines: Type.Array(Type.Object({ quantity: Type.Integer(), product: Product })),
        totalCents: Type.Integer(),
      }),
      idempotent: true,
    }),
  },
});
