// Where the picture has its parts from: the control tables, what hosts counted, and the host's own operations for operators.
// Each is asked for by itself and may fail by itself. Nothing here changes anything but
// that a flip's count is kept with it.
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { Operator } from '../context/principal.ts';
import { newTraceparent } from '../context/trace.ts';
import type { EventsOverview } from '../events/operations/schemas.ts';
import type { Overview } from '../placement/admin-contract.ts';
import { collectStats, liveHosts, OF_CALLERS } from '../placement/collect-stats.ts';
import type { CountedFlip } from '../placement/history.ts';
import type { Tables } from '../placement/tables.ts';
import type { Transfer } from '../placement/transfer-contract.ts';
import type { StoreEntry } from '../servers/desk/contract.ts';
import { type Metrics, SAGAS_OPEN } from '../telemetry/metrics.ts';
import type { Collected } from '../telemetry/stats-sums.ts';
import type { ConsoleParts } from './parts.ts';

export interface PictureSources {
  tables(): Promise<Tables>;
  /** As `banyan status` shows it. */
  overview(): Promise<Overview>;
  /** What these hosts counted; ends in time, whoever does not answer. */
  counts(tables: Tables): Promise<Collected>;
  /** Undefined: this host has no module's store. */
  events(): Promise<EventsOverview | undefined>;
  stores(): Promise<readonly StoreEntry[]>;
  transfers(): Promise<readonly Transfer[]>;
  /** Stuck sagas by module, where there are any; undefined: no module that has sagas runs here. */
  stuck(): Promise<Readonly<Record<string, number>> | undefined>;
  /** Keeps what a flip came to in the history of placements. */
  keepCount(flip: CountedFlip): Promise<void>;
}

/** So long a host may take to say what it counted. */
const COUNTS_MS = 500;
const ASKED_MS = 5_000;

/** It may see, and nothing else. */
const reader: Operator = { kind: 'operator', name: 'console', scopes: ['read'] };

export function pictureSources({
  host,
  own,
  store,
  tokens,
  metrics,
}: Pick<ConsoleParts, 'host' | 'own' | 'store' | 'tokens' | 'metrics'>): PictureSources {
  const byName = new Map<string, Dispatcher>(own.map((one) => [one.contract.module, one]));
  const ask = <T>(contract: string, operation: string): Promise<T> => {
    const call = { principal: reader, deadline: Date.now() + ASKED_MS, traceparent: newTraceparent() };
    return byName.get(contract)!.dispatch(operation, {}, call) as Promise<T>;
  };
  return {
    tables: () => store.read(),
    overview: () => ask<Overview>('admin', 'placements'),
    counts: (tables) => collectStats(liveHosts(tables), tokens, COUNTS_MS, OF_CALLERS),
    events: async () => (host === null ? undefined : ask<EventsOverview>('events', 'overview')),
    transfers: async () => (await ask<{ items: readonly Transfer[] }>('transfers', 'list')).items,
    stores: async () => (await ask<{ items: readonly StoreEntry[] }>('stores', 'list')).items,
    stuck: () => stuckOf(metrics),
    keepCount: (flip) => store.flags.keepCount(flip),
  };
}

/** As /metrics says it: the operation of the module would be tried on its service as well, and count on a ladder. */
async function stuckOf({ registry }: Metrics): Promise<Readonly<Record<string, number>> | undefined> {
  const gauge = registry.getSingleMetric(SAGAS_OPEN);
  if (!gauge) return undefined;
  const stuck: Record<string, number> = {};
  for (const { labels, value } of (await gauge.get()).values)
    if (labels.state === 'stuck') stuck[labels.module!] = (stuck[labels.module!] ?? 0) + value;
  return stuck;
}
