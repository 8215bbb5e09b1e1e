// What the next versions of catalog are, as changes to its files. `compatible`: the same contract, other answers; `added`: a field
// and an operation more; `breaking`: an input that callers do not send, and an answer without what they read.
import type { Change } from './checkout.ts';

const contract = 'src/modules/catalog/contract.ts';
const service = 'src/modules/catalog/service.ts';
const module = 'src/modules/catalog/module.ts';

/** How its answers are told from others'. */
export const mark = (release: string) => ` (by ${release})`;

const marked = (release: string): Change[] => [
  {
    file: service,
    from: 'return (await this.#repository.find(id)) ?? unknown(id);',
    to: `const found = (await this.#repository.find(id)) ?? unknown(id);
    return { ...found, name: found.name + '${mark(release)}' };`,
  },
  {
    file: service,
    from: 'return { items: await this.#repository.prices(ids) };',
    to: `const prices = await this.#repository.prices(ids);
    return { items: prices.map((one) => ({ ...one, name: one.name + '${mark(release)}' })) };`,
  },
];

export const compatible = marked;

export const added = (release: string): Change[] => [
  ...marked(release),
  {
    file: contract,
    from: '  imageId: nullable(id()),\n});\nexport type Product',
    to: '  imageId: nullable(id()),\n  origin: Type.Optional(Type.String()),\n});\nexport type Product',
  },
  {
    file: contract,
    from: '    createProduct: operation({',
    to: `    countProducts: operation({
      summary: 'How many products there are',
      access: 'public',
      http: { method: 'GET', path: '/api/catalog/count' },
      input: closed({}),
      output: Type.Object({ count: Type.Integer() }),
      idempotent: true,
    }),
    createProduct: operation({`,
  },
  {
    file: module,
    from: '          getProduct: ({ id }) => service.get(id),',
    to: `          getProduct: async ({ id }) => ({ ...(await service.get(id)), origin: 'Lisbon' }),
          countProducts: async () => ({ count: 1 }),`,
  },
];

export const breaking = (): Change[] => [
  {
    file: contract,
    from: 'input: closed({ ids: Type.Array(id(), { minItems: 1, maxItems: 100 }) }),',
    to: 'input: closed({ ids: Type.Array(id(), { minItems: 1, maxItems: 100 }), region: Type.String() }),',
  },
  {
    file: contract,
    from: 'Type.Object({ id: id(), name: Type.String(), priceCents: cents(), currency: currency() }),',
    to: 'Type.Object({ id: id(), name: Type.String(), priceCents: cents() }),',
  },
];
