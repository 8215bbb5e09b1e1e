// A deploy in words, for `banyan deploy` and the picture of `banyan status`: which release gets what, by which instances, and
// what can be done next. Pure.

import { deployWords, shareInWords } from '../banyan/console/shared/deploy-words.ts';
import type { Entry } from '../banyan/placement/admin-contract.ts';
import { shorten } from './plain.ts';
import type { Style } from './terminal.ts';

const WIDTH = 80;

const idsOf = ({ instances }: Entry, release: string) =>
  instances.filter((one) => one.healthy && (one.release ?? '') === release).map(({ id }) => id);

const named = (entry: Entry, release: string) => {
  const ids = idsOf(entry, release);
  return `${release || 'no release'} (${ids.length === 0 ? 'not there' : ids.join(', ')})`;
};

/** A line for each release. */
export function deployInWords(entry: Entry, strong: (text: string) => string): string[] {
  const { module, deploy } = entry;
  if (deploy === undefined) {
    const there = [...new Set(entry.instances.map(({ release }) => release ?? 'no release'))];
    const who = there.length === 0 ? '' : `, of ${there.join(' and ')},`;
    return [`${strong(module)} has no deploy: its instances${who} are alike`];
  }
  const { release, percent, before } = deploy;
  return [
    `${strong(module)} ${named(entry, release)} gets ${shareInWords(percent)}`,
    ...before.map((one) => `${strong(module)} ${named(entry, one)} gets ${shareInWords(100 - percent)}`),
  ];
}

/** Instances of the release and of another one are there. */
export const isOnItsWay = ({ instances, deploy }: Entry): boolean =>
  deploy !== undefined &&
  instances.some(({ healthy, release }) => healthy && release === deploy.release) &&
  instances.some(({ healthy, release }) => healthy && release !== deploy.release);

/** Of the picture: below the module. */
export function drawDeploy({ deploy }: Entry, style: Style): string[] {
  if (deploy === undefined) return [];
  return [style('cyan', shorten(`  ⇄ ${deployWords(deploy)}`, WIDTH))];
}
