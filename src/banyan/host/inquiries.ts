// What operators and their tools ask over all hosts and all histories: traces, the audit, comparisons, where to scrape. What they need of the rest of the host
// is tied to it here. The handlers are loaded when somebody first asks.
import { audit } from '../admin/audit-contract.ts';
import { catalogue } from '../admin/catalogue-contract.ts';
import { comparisons } from '../admin/comparisons-contract.ts';
import { discovery } from '../admin/discovery-contract.ts';
import { lateHandlers } from '../admin/late.ts';
import { traces } from '../admin/traces-contract.ts';
import type { Contract } from '../contract/contract.ts';
import type { Handlers } from '../contract/handlers.ts';
import type { Parts } from './parts.ts';
import { openMarks } from './traces.ts';
import type { Undo } from './undo.ts';

export type Inquiry = readonly [Contract, Handlers<Contract>];

/** What a comparison may take to write down that its host stops. */
const STOP_MS = 4_000;
/** A start needs both cores; what a host that was killed left can wait. */
const LOOK_MS = 5_000;

/** @param host this one in the registry. */
export function openInquiries(parts: Parts, host: string, undo: Undo): readonly Inquiry[] {
  const { control, tokens, running } = parts;
  const { follower } = control;
  const store = control.store!;
  const marks = openMarks(parts, host, undo);
  const onTraces = lateHandlers(traces, async () => {
    const { traceHandlers } = await import('../admin/traces.ts');
    return traceHandlers({ store, follower, tokens, marks });
  });
  const onAudit = lateHandlers(audit, async () => {
    const { auditHandlers } = await import('../admin/audit.ts');
    const here = new Set(running.map(({ name }) => name));
    const elsewhere = parts.contracts.map(({ module }) => module).filter((name) => !here.has(name));
    return auditHandlers({ sql: store.sql, modules: running, elsewhere });
  });
  const onCatalogue = lateHandlers(catalogue, async () => {
    const { catalogueHandlers } = await import('../admin/catalogue.ts');
    return catalogueHandlers(parts.contracts, running);
  });
  const onDiscovery = lateHandlers(discovery, async () => {
    const { discoveryHandlers } = await import('../admin/discovery.ts');
    return discoveryHandlers(store);
  });
  const found = [
    [discovery, onDiscovery] as const,
    [catalogue, onCatalogue] as const,
    [traces, onTraces] as const,
    [audit, onAudit] as const,
    ...comparing(parts, undo),
  ];
  return found as unknown as Inquiry[];
}

/** On a monolith of a product that has a tool for it; on all others nobody can ask for one. */
function comparing({ settings, control, log }: Parts, undo: Undo) {
  const { app, role, inherited, dataDir, hostId } = settings;
  const { comparison } = app;
  if (!comparison || role !== 'monolith') return [];
  const store = control.store!;
  const open = async () => {
    const [rowsFile, runFile, reportsFile, handlersFile] = await Promise.all([
      import('../admin/comparison-rows.ts'),
      import('../admin/comparison-run.ts'),
      import('../admin/comparison-reports.ts'),
      import('../admin/comparisons.ts'),
    ]);
    const tool = { ...comparison, env: inherited };
    const rows = rowsFile.createComparisonRows(store.sql);
    const runs = runFile.createRuns(tool, rows, dataDir, log);
    const reports = reportsFile.createReports(rows, dataDir);
    const handlers = handlersFile.comparisonHandlers({ tool, rows, runs, reports, host: hostId });
    return { runs, reports, handlers };
  };
  let opened: ReturnType<typeof open> | undefined;
  const once = () => {
    opened ??= open();
    return opened;
  };
  const looking = setTimeout(() => {
    const left = async () =>
      (await store.sql.query(`SELECT FROM comparison WHERE state = 'running'`)).rowCount > 0;
    left()
      .then(async (is) => is && (await once()).runs.bury())
      .catch((error: unknown) => log.debug({ err: error }, 'comparisons that were left were not looked for'));
  }, LOOK_MS).unref();
  undo.push(
    'comparisons',
    async () => {
      clearTimeout(looking);
      if (opened) await (await opened).runs.close();
    },
    STOP_MS,
  );
  return [[comparisons, lateHandlers(comparisons, async () => (await once()).handlers)] as const];
}
