// What differs between hosts that work together: the version of the product, of Node, contracts, words of placement, and what
// each takes the tables of its modules for. During an upgrade they differ for a while, and are meant to; afterwards somebody was
// forgotten. Pure.
import { SPOKEN } from '../placement/words.ts';
import type { About } from './about.ts';
import type { HostSeen } from './asking.ts';
import { type Finding, ok, unknown, warning } from './finding.ts';

const UPGRADES = 'docs/operations.md#upgrades';
const FINISH = `Bring all hosts to one version: ${UPGRADES}`;

/** @param self what the host that looks says of itself. */
export function versionsOf({ row, about }: HostSeen, self: About): Finding[] {
  const { id } = row;
  // Nobody's version is like ours in another language; what it serves is compared below all the same.
  const foreign = !row.doors.includes('ws');
  const differs = [...contractOf(row), ...(foreign ? [] : wordsOf(row))];
  if ('why' in about) {
    if (foreign) return orAlike(differs, id, 'in another language, by a contract that fits');
    const old = /version that knows nothing/.test(about.why);
    const why = old
      ? warning('version', id, 'is of a version that says nothing of itself', FINISH)
      : unknown('version', id, about.why, `See what else is found of ${id}`);
    return [why, ...differs];
  }
  const { version, node, schemas } = about.answer;
  const found = [
    ...(version === self.version
      ? []
      : [warning('version', id, `is version ${version}; the host that looks is ${self.version}`, FINISH)]),
    ...(node === self.node
      ? []
      : [
          warning(
            'version',
            id,
            `runs on Node ${node}; the host that looks on ${self.node}`,
            `Run npm ci there, which brings the Node of the product: ${UPGRADES}`,
          ),
        ]),
    ...Object.entries(schemas)
      .filter(([module, newest]) => module in self.schemas && self.schemas[module] !== newest)
      .map(([module, newest]) =>
        warning(
          'version',
          id,
          `knows the tables of ${module} up to ${newest ?? 'none'}; the host that looks up to ${self.schemas[module] ?? 'none'}`,
          FINISH,
        ),
      ),
    ...differs,
  ];
  return orAlike(found, id, `version ${version}, Node ${node}`);
}

const orAlike = (found: readonly Finding[], id: string, words: string): Finding[] =>
  found.length > 0 ? [...found] : [ok('version', id, words)];

function contractOf({ id, differences }: HostSeen['row']): Finding[] {
  const [first] = differences;
  if (!first) return [];
  const more = differences.length > 1 ? ` (and ${differences.length - 1} more)` : '';
  return [
    warning(
      'version',
      id,
      `its contract of ${first.module} is another one: ${first.path} ${first.message}${more}`,
      `Calls go on; bring it to the version of the monoliths: ${UPGRADES}`,
    ),
  ];
}

function wordsOf({ id, speaks }: HostSeen['row']): Finding[] {
  const lacks = SPOKEN.filter((word) => !speaks.includes(word));
  if (lacks.length === 0) return [];
  return [
    warning(
      'version',
      id,
      `does not know: ${lacks.join(', ')}; no module is placed so, no store is moved and no release deployed while it lives`,
      FINISH,
    ),
  ];
}
