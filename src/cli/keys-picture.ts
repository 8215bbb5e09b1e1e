// What `banyan keys` shows, in 80 columns: pure, from the admin answer.
import type { Key } from '../banyan/placement/key-contract.ts';
import { type Looks, WIDTH } from './events-picture.ts';
import { ago } from './picture.ts';
import { oneLine, shorten } from './plain.ts';

/** So many characters of a kid tell one key from another. */
export const SHOWN = 8;

export function drawKeys(keys: readonly Key[], { style, now }: Looks): string {
  const line = (purpose: string, name: string, kid: string, state: string) =>
    shorten(`  ${purpose.padEnd(9)} ${shorten(name, 15).padEnd(15)} ${kid.padEnd(10)} ${state}`, WIDTH);
  return [
    '',
    style('dim', line('for', 'whose', 'key', 'state')),
    ...keys.map((key) =>
      line(key.purpose, oneLine(key.name), `${oneLine(key.kid).slice(0, SHOWN)}…`, stateOf(key, now)),
    ),
    '',
    `  ${style('dim', 'Try next')}`,
    `    ${style('green', 'npx banyan keys rotate session')}  ${style('dim', 'no session ends')}`,
    '',
    '',
  ].join('\n');
}

function stateOf({ issued, signsFrom, retiredAt, madeAt }: Key, now: number): string {
  const since = (time: string) => ago(now - Date.parse(time));
  const own = issued ? ', issued' : '';
  if (retiredAt !== null) return `old, replaced ${since(retiredAt)}${own}`;
  if (signsFrom === null) return `announced ${since(madeAt)}, unused yet`;
  return `in use, since ${since(signsFrom)}${own}`;
}
