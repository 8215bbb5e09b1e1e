// Each defect, the first rung that can show it, and the words in which it is named there: what a ladder is held to.
import type { Ask } from '../asked.ts';
import type { DefectiveShop } from './shop.ts';
import type { Defect } from './switch.ts';

export interface Row {
  readonly name: string;
  readonly defect: Defect;
  readonly module: 'catalog' | 'orders' | 'users';
  /** What is asked meanwhile, of many users or by many traces where there are shares. */
  readonly asks: (shop: DefectiveShop, token: string) => Ask;
  /** At most so many of them a second: those of one row wait for one another, and all of them for a machine's cores. */
  readonly atMost?: number;
  /** Whether the ladder begins with a shadow; a defect that shows there is found there, so the others leave it out. */
  readonly shadow: boolean;
  /** Where it is found. */
  readonly found: (rung: string, first: string, second: string) => boolean;
  readonly words: RegExp;
}

const product = ({ product: id }: DefectiveShop): Ask => ({ path: `/api/catalog/products/${id}` });
const ownOrders = ({ customer }: DefectiveShop): Ask => ({
  path: '/api/orders?limit=5',
  token: customer.token,
});
let names = 0;
const rename = ({ customer }: DefectiveShop): Ask => {
  names += 1;
  return { method: 'PATCH', path: '/api/users/me', token: customer.token, body: { name: `Ada ${names}` } };
};
const noOrders = (_: DefectiveShop, token: string): Ask => ({ path: '/api/orders?limit=1', token });

const inShadow = (rung: string) => rung === 'shadow';
const numbers = '\\d+(\\.\\d+)? % of [\\d,]+ \\([\\d,]+\\)';
const both = `${numbers} against ${numbers}`;

export const TABLE: readonly Row[] = [
  {
    name: 'another status',
    ...{ defect: 'status', module: 'catalog', asks: product, shadow: true, found: inShadow },
    words: new RegExp(`^differences: getProduct: status 200 against 404, ${both}`),
  },
  {
    name: 'one field of an answer',
    ...{ defect: 'field', module: 'orders', asks: ownOrders, shadow: true, found: inShadow },
    words: new RegExp(`^differences: list: body /items/\\*/\\S+ differs, ${both}`),
  },
  {
    name: 'a missing event',
    ...{ defect: 'event', module: 'users', asks: rename, atMost: 10, shadow: true, found: inShadow },
    words: new RegExp(`^differences: changeMe: missing event user-changed, ${both}`),
  },
  {
    name: 'memory that grows until it is killed',
    ...{ defect: 'memory', module: 'catalog', asks: product, shadow: true, found: inShadow },
    words: /^restarts: catalog-1 ended at \d\d:\d\d:\d\d UTC without a drain/,
  },
  {
    name: '20 ms on every request',
    ...{ defect: 'slow', module: 'catalog', asks: product, atMost: 100, shadow: false },
    found: (rung, first, second) => rung === first || rung === second,
    words: new RegExp(`^slow: ${both}, most of getProduct \\(over [\\d.]+ ms\\)`),
  },
  {
    name: '1 % of 500s',
    ...{ defect: 'errors', module: 'orders', asks: noOrders, shadow: false },
    found: (rung, first) => rung === first,
    words: new RegExp(`^errors: ${both}, most of list`),
  },
];
