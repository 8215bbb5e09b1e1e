// What a release says of itself, as Markdown: what is promised otherwise, the broken first; then each commit under the
// modules whose folders it changed. Pure.

import { kinds } from '../contracts/change.ts';
import type { ContractDiff, DocumentDiff, Lists, PromiseDiff } from '../contracts/diff.ts';
import type { Layout } from '../layout.ts';

export interface Commit {
  readonly subject: string;
  readonly files: readonly string[];
}

export function changelog(
  { version, since }: { readonly version: string; readonly since: string | undefined },
  commits: readonly Commit[],
  promises: PromiseDiff | undefined,
  layout: Pick<Layout, 'modules' | 'foldersOf'>,
): string {
  return [
    `## ${version}`,
    '',
    ...(since === undefined ? ['The first release.', ''] : [`Since ${since}.`, '']),
    ...(promises ? promised(promises) : []),
    ...sections(commits, layout),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

const titles = { broken: 'Broken', changed: 'Changed, compatibly', added: 'Added' } as const;

function promised({ modules, host, openapi, asyncapi }: PromiseDiff): string[] {
  const parts: [string, ContractDiff | DocumentDiff][] = [
    ...[...modules, ...host].map((one): [string, ContractDiff] => [one.module, one]),
    ['/openapi.json', openapi],
    ['/asyncapi.json', asyncapi],
  ];
  return kinds.flatMap((kind) => {
    const lines = parts.flatMap(([name, lists]) => placesOf(lists, kind, name));
    return lines.length === 0 ? [] : [`### ${titles[kind]}`, '', ...lines, ''];
  });
}

function placesOf(lists: Lists, kind: keyof typeof titles, name: string): string[] {
  return lists[kind].map(({ path, message }) => `- **${name}** \`${path}\`: ${message}`);
}

/** One under each module that it changed; one that changed none, under what all of them stand on. */
function sections(
  commits: readonly Commit[],
  { modules, foldersOf }: Pick<Layout, 'modules' | 'foldersOf'>,
): string[] {
  const changes = (module: string) => (commit: Commit) =>
    commit.files.some((file) => foldersOf(module).some((folder) => file.startsWith(folder)));
  const groups: [string, readonly Commit[]][] = [
    ...modules.map((module): [string, Commit[]] => [module, commits.filter(changes(module))]),
    ['What all of them stand on', commits.filter((one) => !modules.some((module) => changes(module)(one)))],
  ];
  return groups.flatMap(([title, some]) =>
    some.length === 0 ? [] : [`### ${title}`, '', ...some.map(({ subject }) => `- ${subject}`), ''],
  );
}
