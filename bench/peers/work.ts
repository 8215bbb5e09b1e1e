// The work that every peer does, apart from its framework: an order, its customer, its three products, by id.
// Answers are the same bytes in every variant (the runner checks that); 1 kB of JSON in all. With a database, each
// of the three asks it once by primary key, with a prepared statement, over a pool of 5 of its own.

export interface Order {
  readonly id: string;
  readonly userId: string;
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[];
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly address: string;
}

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly priceCents: number;
  readonly text: string;
}

export interface Placed {
  readonly id: string;
  readonly user: User;
  readonly lines: { readonly quantity: number; readonly product: Product }[];
  readonly totalCents: number;
}

/** As much of pg's Pool as the work needs. */
export interface Queries {
  query(statement: { name: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
}

export const ORDERS = 1000;

const uuid = (kind: number, n: number) => `0199b2c4-000${kind}-7000-8000-${n.toString(16).padStart(12, '0')}`;
const TEXT =
  'A small banyan in a clay pot, grown from a cutting; likes light, warmth and little water. '.repeat(2);

export const orderId = (n: number) => uuid(1, n);

export const orderAt = (n: number): Order => ({
  id: uuid(1, n),
  userId: uuid(2, n % 100),
  lines: [0, 1, 2].map((line) => ({ productId: uuid(3, (n * 7 + line * 13) % 200), quantity: line + 1 })),
});

export const userAt = (n: number): User => ({
  id: uuid(2, n),
  name: `Customer ${n}`,
  email: `customer-${n}@example.com`,
  address: `${n} Fig Street, 12345 Strangler`,
});

export const productAt = (n: number): Product => ({
  id: uuid(3, n),
  name: `Banyan seedling ${n}`,
  priceCents: 500 + n,
  text: TEXT,
});

const inMemory = <T extends { id: string }>(count: number, at: (n: number) => T) =>
  new Map(Array.from({ length: count }, (_, n) => [at(n).id, at(n)]));
const orders = inMemory(ORDERS, orderAt);
const users = inMemory(100, userAt);
const products = inMemory(200, productAt);

export async function findOrder(id: string, db?: Queries): Promise<Order> {
  if (!db) return orders.get(id)!;
  const text = 'SELECT id, user_id AS "userId", lines FROM orders.orders WHERE id = $1';
  return (await db.query({ name: 'order', text, values: [id] })).rows[0] as Order;
}

export async function findUser(id: string, db?: Queries): Promise<User> {
  if (!db) return users.get(id)!;
  const text = 'SELECT id, name, email, address FROM users.users WHERE id = $1';
  return (await db.query({ name: 'user', text, values: [id] })).rows[0] as User;
}

/** In the order of the ids. */
export async function findProducts(ids: readonly string[], db?: Queries): Promise<Product[]> {
  if (!db) return ids.map((id) => products.get(id)!);
  const text =
    'SELECT id, name, price_cents AS "priceCents", text FROM catalog.products WHERE id = ANY($1) ORDER BY array_position($1, id)';
  return (await db.query({ name: 'products', text, values: [ids] })).rows as Product[];
}

/** What the orders module answers, once it has asked the two others, both at once. */
export function place(order: Order, user: User, found: readonly Product[]): Placed {
  const lines = order.lines.map(({ quantity }, index) => ({ quantity, product: found[index]! }));
  const totalCents = lines.reduce((sum, { quantity, product }) => sum + quantity * product.priceCents, 0);
  return { id: order.id, user, lines, totalCents };
}

/** One module a schema, as text, for whoever prepares the server. */
export const DDL = `
  CREATE SCHEMA orders; CREATE SCHEMA users; CREATE SCHEMA catalog;
  CREATE TABLE orders.orders (id uuid PRIMARY KEY, user_id uuid NOT NULL, lines jsonb NOT NULL);
  CREATE TABLE users.users (id uuid PRIMARY KEY, name text NOT NULL, email text NOT NULL, address text NOT NULL);
  CREATE TABLE catalog.products (id uuid PRIMARY KEY, name text NOT NULL, price_cents int NOT NULL, text text NOT NULL)`;
