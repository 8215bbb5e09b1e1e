// The shop, as it is handed to the library: where its modules, migrations and services are, and what they are told.
// Data alone: a start reads it before anything else is loaded.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { App } from '#banyan';

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');

export const shopApp: App = {
  title: 'Banyan',
  version: (JSON.parse(manifest) as { version: string }).version,
  modules: new URL('./modules/', import.meta.url),
  prisma: new URL('../prisma/', import.meta.url),
  service: (module) => new URL(`../extracted/${module}/main.ts`, import.meta.url),
  sessions: { module: 'users', begin: 'POST /api/users/sessions' },
  settings: {
    storageUrl: {
      of: ['media'],
      variable: 'STORAGE_URL',
      protocols: ['file:'],
      example: 'file:///var/lib/banyan/media',
      folder: 'media',
    },
    smtpUrl: {
      of: ['notifications'],
      variable: 'SMTP_URL',
      protocols: ['smtp:', 'smtps:'],
      example: 'smtp://user:pass@mail.example:587',
      unset: 'files',
    },
    // Where mail goes that no server is named for. A service has a DATA_DIR of its own: it is told that of its monolith.
    mailUrl: {
      of: ['notifications'],
      variable: 'MAIL_URL',
      protocols: ['file:'],
      example: 'file:///var/lib/banyan/mail',
      folder: 'mail',
    },
  },
  example: 'orders',
  greeting: ({ url, dataDir }) => {
    const seeds = join(dataDir, 'seeds.json');
    const demo = `demo@banyan.example (password: ${shortOf(seeds)})`;
    return {
      facts: existsSync(seeds) ? [['Sign in as', demo]] : [],
      next: [
        'npx banyan status             where every module serves',
        'npx banyan extract orders     move one into a service of its own, now',
        `curl -i '${url}/api/catalog/products?limit=1'`,
      ],
    };
  },
};

/** As seen from here, when that is shorter. */
function shortOf(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
