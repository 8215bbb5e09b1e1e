// The handlers of the comparisons' contract.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as uuidv7, validate } from 'uuid';
import { doneBy } from '../context/principal.ts';
import type { Handlers } from '../contract/handlers.ts';
import { libraryProblem, problem } from '../contract/problem.ts';
import { storeErrors } from '../placement/admin.ts';
import { type ComparisonReports, shownOf } from './comparison-reports.ts';
import type { ComparisonRows } from './comparison-rows.ts';
import type { Runs } from './comparison-run.ts';
import { type ComparisonTool, differenceBy } from './comparison-tool.ts';
import { comparisons } from './comparisons-contract.ts';

export interface ComparisonsOptions {
  readonly tool: ComparisonTool;
  readonly rows: ComparisonRows;
  readonly runs: Runs;
  readonly reports: ComparisonReports;
  /** As histories name this host. */
  readonly host: string;
}

const DIFF_MS = 12_000;

export function comparisonHandlers(options: ComparisonsOptions): Handlers<typeof comparisons> {
  const { tool, rows, runs, reports } = options;
  const one = async (id: string) => {
    if (!validate(id)) return reports.foundOne(id);
    const row = await rows.one(id);
    return row && shownOf(row);
  };
  const known = async (id: string) => {
    const found = await one(id);
    if (found) return found;
    throw problem(comparisons, 'comparison-unknown', {
      detail: `There is no comparison ${id} here. GET /admin/compares lists those there are.`,
    });
  };
  const reportOf = async (id: string, which: 'report' | 'page' = 'report') => {
    const { state } = await known(id);
    const report = await reports.read(id, which);
    if (report) return report;
    throw problem(comparisons, 'no-report', {
      detail: state === 'running' ? 'It still runs.' : `It has none: it is ${state}.`,
    });
  };

  return {
    list: async () =>
      storeErrors(async () => {
        await runs.bury();
        const all = await rows.list();
        const items = [...all.map(shownOf), ...reports.found(all)];
        return {
          works: [...tool.works],
          items: items.sort((a, b) => b.startedAt.localeCompare(a.startedAt)),
        };
      }),

    start: beginBy(options),

    show: async ({ id }) =>
      storeErrors(async () => {
        await runs.bury();
        return known(id);
      }),

    cancel: async ({ id, changedBy }, call) =>
      storeErrors(async () => {
        await runs.bury();
        const before = await known(id);
        const row = await rows.unwant(id, doneBy(call.principal, changedBy));
        if (row) call.change = { before: { id, state: before.state } };
        return row ? shownOf(row) : known(id);
      }),

    report: async ({ id }) =>
      storeErrors(async () => JSON.parse((await reportOf(id)).toString()) as Record<string, unknown>),

    page: async ({ id }) =>
      storeErrors(async () => {
        const bytes = await reportOf(id, 'page');
        const etag = createHash('sha256').update(bytes).digest('base64url');
        return { contentType: 'text/html; charset=utf-8', bytes, etag, cacheControl: 'no-store' };
      }),

    diff: async ({ id, old }) =>
      storeErrors(async () => {
        const [newer, older] = await Promise.all([reportOf(id), reportOf(old)]);
        return difference(tool, older, newer);
      }),
  };
}

function beginBy({ tool, rows, runs, host }: ComparisonsOptions): Handlers<typeof comparisons>['start'] {
  return async ({ changedBy, ...asked }, call) =>
    storeErrors(async () => {
      if (asked.work !== undefined && !tool.works.includes(asked.work))
        throw libraryProblem('invalid', {
          detail: `There is no work "${asked.work}". There are ${tool.works.join(', ')}.`,
          errors: [{ path: '/work', message: `must be one of ${tool.works.join(', ')}` }],
        });
      await runs.bury();
      const row = await rows.begin(uuidv7(), asked, host, doneBy(call.principal, changedBy));
      if (!row) {
        const running = await rows.running();
        throw problem(comparisons, 'comparison-running', {
          detail: running
            ? `${running.startedBy} started one at ${running.startedAt}. Two at once would measure each other: wait, or cancel it.`
            : 'Another one has just begun or ended. Look again.',
        });
      }
      call.change = { after: { id: row.id, ...asked } };
      runs.begin(row);
      return shownOf(row);
    });
}

/** The tool reads files. */
async function difference(
  tool: ComparisonTool,
  older: Buffer,
  newer: Buffer,
): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-diff-'));
  try {
    const [before, after] = [join(folder, 'old.json'), join(folder, 'new.json')];
    writeFileSync(before, older);
    writeFileSync(after, newer);
    return await differenceBy(tool, before, after, DIFF_MS);
  } catch (error) {
    throw problem(comparisons, 'not-comparable', { detail: (error as Error).message });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
