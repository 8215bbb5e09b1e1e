// The shop, as it is handed to the library: where its modules, migrations and services are, and what they are told.
// Data alone: a start reads it before anything else is loaded.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from '#banyan';

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');

const root = fileURLToPath(new URL('../', import.meta.url));
/** A tool beside the product: an image of it may lack it. */
const measures = join(root, 'compare');

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
  ...(existsSync(measures) && {
    comparison: {
      // It ends with the host that started it, also where that was killed.
      command: [
        process.execPath,
        ...['--import', new URL('../scripts/with-npm.mjs', import.meta.url).href],
        ...[join(root, 'bin', 'main.ts'), 'compare'],
      ],
      works: ['browse', 'checkout', 'media', 'mixed'],
    },
  }),
  example: 'orders',
  greeting: ({ url, dataDir }) => {
    const seeds = join(dataDir, 'seeds.json');
    const demo = `demo@banyan.example (password: ${shortOf(seeds)})`;
    const usual = dataDir === resolve('.banyan');
    const banyan = usual ? 'npx banyan' : `DATA_DIR='${shortOf(dataDir)}' npx banyan`;
    return {
      facts: existsSync(seeds) ? [['Sign in as', demo]] : [],
      next: [
        `${banyan} status             where every module serves`,
        `${banyan} extract orders     move one into a service of its own, now`,
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
