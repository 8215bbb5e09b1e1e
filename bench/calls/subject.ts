// What is called in every variant: the same small input, the same small answer, no work in between.
import { Type } from 'typebox';
import type { Call } from '../../src/banyan/context/call.ts';
import { closed, defineContract, operation } from '../../src/banyan/contract/contract.ts';
import { id } from '../../src/banyan/contract/fields.ts';

export const shelf = defineContract('shelf', {
  summary: 'What the benchmarks call',
  operations: {
    price: operation({
      summary: 'The price of a product',
      access: 'internal',
      input: closed({ productId: id(), quantity: Type.Integer({ minimum: 1, maximum: 100 }) }),
      output: Type.Object({
        productId: Type.String(),
        name: Type.String(),
        unitCents: Type.Integer(),
        currency: Type.String(),
      }),
      idempotent: true,
    }),
  },
});

export const INPUT = { productId: '0199b2c4-7a10-7000-8000-00000000002a', quantity: 2 };
export const INTERNAL_KEY = 'the internal key of the benchmarks';
export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export interface Price {
  readonly productId: string;
  readonly name: string;
  readonly unitCents: number;
  readonly currency: string;
}

export async function price(input: { productId: string; quantity: number }): Promise<Price> {
  return { productId: input.productId, name: 'Banyan seedling', unitCents: 1290, currency: 'EUR' };
}

/** The same, of a handler that looks at its call: the deadline and the trace are paid for. */
export async function priceInTime(
  input: { productId: string; quantity: number },
  call: Call,
): Promise<Price> {
  if (call.deadline < 0 || call.traceparent.length !== 55) throw new Error('no deadline, no trace');
  return price(input);
}
