// `banyan` as a process, against the shop under test.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Shop } from '../shop.ts';

const main = fileURLToPath(new URL('../../bin/main.ts', import.meta.url));

export function cli(shop: Shop, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env.PATH!, BANYAN_URL: shop.url, ADMIN_TOKEN: shop.adminToken };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err }),
    );
  });
}
