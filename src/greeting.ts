// What a person sees when the monolith is up: where it is, who may sign in, what to try next.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from './settings.ts';

export function greet(settings: Settings, url: string): void {
  const bold = (text: string) => (settings.pretty ? `\u001b[1m${text}\u001b[22m` : text);
  // What the environment says itself is in no file.
  const made = (name: string) => existsSync(join(settings.dataDir, name));
  const lines = [
    '',
    `  ${bold('Banyan')} is up at ${bold(url)}`,
    '',
    `  API and documentation   ${url}/docs`,
    ...(made('seeds.json')
      ? [`  Sign in as              demo@banyan.example (password: ${short(settings.dataDir)}/seeds.json)`]
      : []),
    ...(made('admin-token') ? [`  Admin token             ${short(settings.dataDir)}/admin-token`] : []),
    '',
    '  Try next, in another terminal:',
    '    npx banyan status             where every module serves',
    '    npx banyan extract orders     move one into a service of its own, now',
    `    curl -i '${url}/api/catalog/products?limit=1'`,
    '',
    '  Ctrl-C ends everything.',
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** The folder as seen from here, when that is shorter. */
function short(folder: string): string {
  const here = `${process.cwd()}/`;
  return folder.startsWith(here) ? folder.slice(here.length) : folder;
}
