// A release beside the one before in words, the same for the page and the command line. Pure.
import type { Entry } from '../../placement/admin-contract.ts';

type Deploy = NonNullable<Entry['deploy']>;

/** What a share of the keys is, without and with others. */
export const shareInWords = (percent: number): string =>
  percent === 0 ? 'nothing' : percent === 100 ? 'all' : `${percent}%`;

/** `deploy: 1.5.0 gets 10%, 1.4.0 90%`. */
export function deployWords({ release, percent, before }: Deploy): string {
  const others = before.map((one) => one || 'no release').join(', ') || 'any other';
  return `deploy: ${release} gets ${shareInWords(percent)}, ${others} ${shareInWords(100 - percent)}`;
}

/** The commands that lead on, and back, each with what comes of it. */
export function stepsOfDeploy({
  module,
  deploy,
}: Pick<Entry, 'module' | 'deploy'>): [command: string, why: string][] {
  if (deploy === undefined) return [];
  const { release, percent, before } = deploy;
  const command = `npx banyan deploy ${module}`;
  const more = [10, 50, 100].find((one) => one > percent);
  return [
    ...(more === undefined
      ? []
      : [
          [`${command} --percent ${more}`, `${release} gets ${shareInWords(more)}`] satisfies [
            string,
            string,
          ],
        ]),
    ...(percent > 0
      ? [[`${command} --back`, `${before.join(', ') || 'the others'} all again`] satisfies [string, string]]
      : []),
  ];
}

/** Of an instance, where they differ, or are to. */
export function releaseShown(
  all: readonly { readonly release?: string }[],
  deploy: Deploy | undefined,
  { release }: { readonly release?: string },
): string | undefined {
  const differ = new Set(all.map((one) => one.release)).size > 1;
  return differ || deploy !== undefined ? `release ${release ?? 'not said'}` : undefined;
}
