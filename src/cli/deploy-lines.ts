// A deploy in words, for `banyan deploy` and the picture of `banyan status`: which release gets what, by which instances, and
// what can be done next. Pure.
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

/** What a share of the keys is, without and with others. */
const got = (percent: number) => (percent === 0 ? 'nothing' : percent === 100 ? 'all' : `${percent}%`);

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
    `${strong(module)} ${named(entry, release)} gets ${got(percent)}`,
    ...before.map((one) => `${strong(module)} ${named(entry, one)} gets ${got(100 - percent)}`),
  ];
}

/** The commands that lead on, and back, each with what comes of it. */
export function stepsOfDeploy({ module, deploy }: Entry): [command: string, why: string][] {
  if (deploy === undefined) return [];
  const { release, percent, before } = deploy;
  const command = `npx banyan deploy ${module}`;
  const more = [10, 50, 100].find((one) => one > percent);
  return [
    ...(more === undefined
      ? []
      : [[`${command} --percent ${more}`, `${release} gets ${got(more)}`] satisfies [string, string]]),
    ...(percent > 0
      ? [[`${command} --back`, `${before.join(', ') || 'the others'} all again`] satisfies [string, string]]
      : []),
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
  const { release, percent, before } = deploy;
  const others = before.map((one) => one || 'no release').join(', ') || 'any other';
  const words = `deploy: ${release} gets ${got(percent)}, ${others} ${got(100 - percent)}`;
  return [style('cyan', shorten(`  ⇄ ${words}`, WIDTH))];
}

/** Of an instance, where they differ, or are to. */
export function releaseShown({ instances, deploy }: Entry, release: string | undefined): string | undefined {
  const differ = new Set(instances.map((one) => one.release)).size > 1;
  return differ || deploy !== undefined ? `release ${release ?? 'not said'}` : undefined;
}
