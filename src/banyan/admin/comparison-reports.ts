// Where the reports of comparisons are: in the rows of those that were started here, and in the folder that the command line
// writes to on this machine. A name that is no plain one leads nowhere.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { validate } from 'uuid';
import type { ComparisonRow, ComparisonRows } from './comparison-rows.ts';
import { wordsOf } from './comparison-tool.ts';
import type { Comparison } from './comparisons-contract.ts';

const FOLDER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const MOST = 50;

export interface ComparisonReports {
  /** Of the command line, newest first, but for those at these times. */
  found(known: readonly ComparisonRow[]): Comparison[];
  foundOne(id: string): Comparison | undefined;
  /** Undefined: there is none. */
  read(id: string, which: 'report' | 'page'): Promise<Buffer | undefined>;
}

export function createReports(rows: Pick<ComparisonRows, 'report'>, dataDir: string): ComparisonReports {
  const folder = join(dataDir, 'compare');
  const file = (id: string, which: 'report' | 'page') =>
    join(folder, id, which === 'report' ? 'report.json' : 'report.html');
  const isReport = (id: string) => FOLDER.test(id) && existsSync(file(id, 'report'));
  const foundOne = (id: string): Comparison | undefined => {
    if (!isReport(id)) return undefined;
    try {
      const at = statSync(file(id, 'report')).mtime.toISOString();
      const report = JSON.parse(readFileSync(file(id, 'report'), 'utf8')) as Record<string, unknown>;
      const text = (one: unknown) => (typeof one === 'string' ? one : '');
      const { shapes, work } = report as {
        shapes?: { a?: { text?: string }; b?: { text?: string } };
        work?: { name?: string };
      };
      return {
        ...{ id, from: 'folder', state: 'done', lines: [], startedBy: null, host: null, hasReport: true },
        asked: { a: text(shapes?.a?.text), b: text(shapes?.b?.text), work: text(work?.name) },
        command: text(report.command) || 'banyan compare',
        startedAt: text(report.startedAt) || at,
        endedAt: at,
        finding: text(report.finding) || null,
      };
    } catch {
      return undefined;
    }
  };
  return {
    foundOne,
    found(known) {
      if (!existsSync(folder)) return [];
      const ours = new Set(known.map(({ startedAt }) => startedAt.slice(0, 19).replaceAll(':', '-')));
      const names = readdirSync(folder).filter((name) => !ours.has(name) && isReport(name));
      return names
        .sort()
        .slice(-MOST)
        .flatMap((name) => foundOne(name) ?? [])
        .sort((a, b) => b.startedAt.localeCompare(a.startedAt));
    },
    async read(id, which) {
      if (validate(id)) {
        const packed = await rows.report(id, which);
        return packed === null ? undefined : promisify(gunzip)(packed);
      }
      return FOLDER.test(id) && existsSync(file(id, which)) ? readFileSync(file(id, which)) : undefined;
    },
  };
}

export function shownOf(row: ComparisonRow): Comparison {
  const { id, state, asked, lines, startedBy, startedAt, endedAt, finding, host, hasReport } = row;
  const command = ['banyan compare', ...wordsOf(asked).map(quoted)].join(' ');
  const shown = { id, state, asked: { ...asked }, command, lines: [...lines], startedBy, startedAt, endedAt };
  return { ...shown, from: 'console', finding, host, hasReport };
}

const quoted = (word: string) => (/^[\w./=,:-]+$/.test(word) ? word : `'${word}'`);
