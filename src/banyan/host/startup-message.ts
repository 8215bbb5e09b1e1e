// What a person sees when the monolith is up, or the gateway alone: where it is, who may sign in, what to try next.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';

export function printStartupMessage(settings: Settings, url: string, adminUrl?: string): void {
  const bold = (text: string) => (settings.pretty ? `\u001b[1m${text}\u001b[22m` : text);
  // What the environment says itself is in no file.
  const made = (name: string) => existsSync(join(settings.dataDir, name));
  const { title, greeting } = settings.app;
  const isGateway = settings.role === 'gateway';
  // Who may sign in, and what to try, is its monolith's to say.
  const said = isGateway ? undefined : greeting?.({ url, dataDir: settings.dataDir });
  const { facts, next } = said ?? { facts: [], next: [] };
  const lines = [
    '',
    `  ${isGateway ? 'The gateway of ' : ''}${bold(title)} is up at ${bold(url)}`,
    '',
    ...(settings.console ? [`  Console                 ${adminUrl ?? url}${settings.console}`] : []),
    `  API and documentation   ${url}/docs`,
    ...(adminUrl ? [`  Administration          ${adminUrl}/admin`] : []),
    ...facts.map(([label, fact]) => `  ${label.padEnd(22)}  ${fact}`),
    ...(made('admin-token') ? [`  Admin token             ${short(settings.dataDir)}/admin-token`] : []),
    '',
    ...(next.length > 0 ? ['  Try next, in another terminal:', ...next.map((one) => `    ${one}`), ''] : []),
    isGateway ? '  Ctrl-C ends this gateway, and nothing else.' : '  Ctrl-C ends everything.',
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** The folder as seen from here, when that is shorter. */
function short(folder: string): string {
  const here = `${process.cwd()}/`;
  return folder.startsWith(here) ? folder.slice(here.length) : folder;
}
