// The data that both topologies start from, made once with the product's own seeds and API, then copied: customers with
// sessions, products that do not run out. Same ids on both sides, so the same requests mean the same.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../errors/refusal.ts';
import type { Stock } from '../workload/record.ts';
import { copyFolder, type Installation, Instance } from './instance.ts';
import type { Topology } from './syntax.ts';

/** Sessions that requests are spread over. */
const CUSTOMERS = 20;
/** More than any run sells. */
const STOCK = 100_000_000;

export function makeSecrets(): Installation['secrets'] {
  const secret = () => randomBytes(24).toString('base64url');
  return {
    adminToken: secret(),
    rootKey: secret(),
  };
}

export interface Prepared {
  readonly stock: Stock;
  readonly instances: { readonly a: Instance; readonly b: Instance };
}

export async function prepare(
  folder: string,
  topologies: { a: Topology; b: Topology },
  installation: Installation,
): Promise<Prepared> {
  const dirs = { a: join(folder, 'a'), b: join(folder, 'b') };
  mkdirSync(dirs.a);
  chmodSync(dirs.a, 0o711);
  if (!othersMayEnter(dirs.a)) {
    throw new Refusal(
      'no-folder',
      'PostgreSQL cannot use the temporary folder',
      `Root runs PostgreSQL as another user, who may not enter ${folder}.`,
      'Set TMPDIR to a folder that everybody may enter, such as /tmp',
    );
  }
  const monolith: Topology = { text: 'monolith', label: 'monolith', services: new Map() };
  const first = new Instance('a', monolith, dirs.a, { ...installation, log: 'postgres' });
  try {
    await first.start();
    const stock = await fill(first, installation);
    await first.stop();
    copyFolder(dirs.a, dirs.b);
    return {
      stock,
      instances: {
        a: new Instance('a', topologies.a, dirs.a, installation),
        b: new Instance('b', topologies.b, dirs.b, installation),
      },
    };
  } finally {
    await first.stop();
  }
}

/** Else the server's files would lie elsewhere, where both sides would meet. */
function othersMayEnter(folder: string): boolean {
  if (process.getuid?.() !== 0) return true;
  const nobody = { uid: 65534, gid: 65534, cwd: '/' };
  return spawnSync('/bin/sh', ['-c', 'cd -- "$0"', folder], nobody).status === 0;
}

async function fill(instance: Instance, { secrets, signal }: Installation): Promise<Stock> {
  const call = async <T>(method: string, path: string, body?: object, token?: string): Promise<T> => {
    const response = await fetch(new URL(path, instance.url), {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: body && JSON.stringify(body),
      signal,
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const customers = await Promise.all(
    Array.from({ length: CUSTOMERS }, async (_, index) => {
      const email = `customer-${index + 1}@compare.example`;
      const password = randomBytes(12).toString('base64url');
      await call('POST', '/api/users', { email, name: `Customer ${index + 1}`, password });
      return (await call<{ token: string }>('POST', '/api/users/sessions', { email, password })).token;
    }),
  );
  const products: { id: string; imageId: string | null; name: string }[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: { items: typeof products; nextCursor: string | null } = await call(
      'GET',
      `/api/catalog/products?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    products.push(...page.items);
    cursor = page.nextCursor;
  }
  for (let start = 0; start < products.length; start += 20) {
    const some = products.slice(start, start + 20);
    await Promise.all(
      some.map(({ id }) =>
        call('PATCH', `/api/catalog/products/${id}`, { stock: STOCK }, secrets.adminToken),
      ),
    );
  }
  return {
    products: products.map(({ id }) => id),
    pictures: [...new Set(products.flatMap(({ imageId }) => (imageId === null ? [] : [imageId])))],
    words: [...new Set(products.map(({ name }) => name.split(' ').at(-1)!.toLowerCase()))].sort(),
    customers,
    adminToken: secrets.adminToken,
  };
}
