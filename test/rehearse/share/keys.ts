// Whose requests are made: users with sessions, customers (users who are registered, and can order), and requests
// without a user, which are known by their Idempotency-Key or by their trace. All but the ids of customers follow from
// the seed.
import type { Random } from '../../chaos/random.ts';
import type { RehearsedShop } from './stage.ts';

export interface Key {
  readonly kind: 'user' | 'Idempotency-Key' | 'trace';
  readonly key: string;
  /** Of a user. */
  readonly token?: string;
  /** Which say the key where there is no user. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Keys {
  readonly users: readonly Key[];
  readonly customers: readonly Key[];
  readonly others: readonly Key[];
}

/** At most: registering costs a hash of a password each. */
const CUSTOMERS = 24;
const AT_ONCE = 4;

export async function makeKeys(shop: RehearsedShop, random: Random, count: number): Promise<Keys> {
  const { signer } = shop;
  const users: Key[] = [];
  for (let n = 0; n < count; n += 1) {
    const id = uuid(random);
    const { token } = await signer.sign({ id, role: 'customer', epoch: 0 });
    users.push({ kind: 'user', key: id, token, headers: {} });
  }
  const others = Array.from({ length: Math.ceil(count / 2) }, (_, n): Key => {
    const key = n % 2 === 0 ? `once-${hex(random, 12)}` : hex(random, 32);
    return n % 2 === 0
      ? { kind: 'Idempotency-Key', key, headers: { 'idempotency-key': key } }
      : { kind: 'trace', key, headers: { traceparent: `00-${key}-00f067aa0ba902b7-01` } };
  });
  const customers: Key[] = [];
  while (customers.length < Math.min(CUSTOMERS, count / 4))
    customers.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => register(shop)))));
  return { users, customers, others };
}

let registered = 0;

async function register(shop: RehearsedShop): Promise<Key> {
  registered += 1;
  const email = `customer-${process.pid}-${Date.now().toString(36)}-${registered}@example.com`;
  const password = 'correct horse battery';
  const { id } = await shop.admin('POST', '/api/users', { email, password, name: 'A Customer' });
  const { token } = await shop.admin('POST', '/api/users/sessions', { email, password });
  return { kind: 'user', key: id, token, headers: {} };
}

function hex(random: Random, digits: number): string {
  return Array.from({ length: digits }, () => random.below(16).toString(16)).join('');
}

function uuid(random: Random): string {
  const parts = [hex(random, 8), hex(random, 4), `4${hex(random, 3)}`, `8${hex(random, 3)}`, hex(random, 12)];
  return parts.join('-');
}
