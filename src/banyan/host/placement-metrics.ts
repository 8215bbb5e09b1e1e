// What metrics of a monolith or gateway say of placement: where modules serve and with which share, who is there, how many
// processes are wanted and how many take requests, and whom this gateway sends nothing to and why. Shares and health are of
// the picture that this host decides by, also while the control store is away; what only its tables say is then left out.
import { heldCause } from '../gateway/held-cause.ts';
import type { HeldOut } from '../placement/host.ts';
import { isLive, laggingOf } from '../placement/picture.ts';
import type { Tables } from '../placement/tables.ts';
import type { Placements } from '../routing/snapshot.ts';
import type { MetricSample, Metrics } from '../telemetry/metrics.ts';

interface Measured {
  readonly metrics: Metrics;
  readonly placements: Pick<Placements, 'current'>;
  readonly tables: () => Promise<Tables>;
  /** What this gateway holds out, by host. */
  readonly held: () => Readonly<Record<string, HeldOut>> | undefined;
}

/** One look at the tables serves all numbers of a scrape. */
const FRESH_MS = 1_000;

type Labels = Readonly<Record<string, string>>;

const sample = (labels: Labels, value: number): MetricSample => ({ labels, value });

export function measurePlacements({ metrics, placements, tables, held }: Measured): void {
  measurePicture(metrics, placements, held);
  measureTables(metrics, lookNow(tables));
}

function measurePicture(
  { gauge }: Metrics,
  placements: Measured['placements'],
  held: Measured['held'],
): void {
  const modules = () => Object.values(placements.current.modules);
  gauge('banyan_placement', '1 for where a module serves', ['module', 'placement'], () =>
    modules().map(({ module, placement }) => sample({ module, placement }, 1)),
  );
  gauge(
    'banyan_placement_service_ratio',
    'Share of the requests of a module that its service gets, 0 to 1',
    ['module'],
    () => modules().map(({ module, percent }) => sample({ module }, percent / 100)),
  );
  gauge('banyan_placement_changed_timestamp_seconds', 'When it was placed there', ['module'], () =>
    modules().map(({ module, changedAt }) => sample({ module }, Date.parse(changedAt) / 1000)),
  );
  gauge(
    'banyan_instances_healthy',
    'Processes of a module that take requests, those of this gateway among them',
    ['module'],
    () => {
      const out = held() ?? {};
      return modules().map(({ module, instances }) =>
        sample({ module }, instances.filter(({ healthy, host }) => healthy && !(host in out)).length),
      );
    },
  );
  gauge(
    'banyan_host_held_out',
    '1 for a process that beats, and that this gateway sends nothing to; by the cause',
    ['held', 'module', 'cause'],
    () => {
      const out = held() ?? {};
      const { monoliths } = placements.current;
      const known = [
        ...modules().flatMap(({ module, instances }) => instances.map((one) => ({ ...one, module }))),
        ...monoliths.map((one) => ({ ...one, module: '' })),
      ];
      return known.flatMap(({ host, id, module }) =>
        out[host] ? [sample({ held: id, module, cause: heldCause(out[host].reason) }, 1)] : [],
      );
    },
  );
  gauge(
    'banyan_store_place',
    '1 for the server that has a store which ever moved',
    ['module', 'server'],
    () =>
      Object.entries(placements.current.stores ?? {}).map(([module, { server }]) =>
        sample({ module, server }, 1),
      ),
  );
}

function measureTables({ gauge }: Metrics, look: () => Promise<Tables>): void {
  const roles = ['monolith', 'gateway', 'service'] as const;
  gauge('banyan_hosts', 'Live hosts', ['role'], async () => {
    const live = (await look()).hosts.filter(isLive);
    return roles.map((role) => sample({ role }, live.filter((one) => one.role === role).length));
  });
  gauge('banyan_hosts_lagging', 'Live hosts that do not decide by the newest version yet', [], async () => {
    const tables = await look();
    return [sample({}, laggingOf(tables, tables.version).length)];
  });
  gauge(
    'banyan_instances_wanted',
    'Processes of a module that a monolith is to run',
    ['module'],
    async () => {
      const { placements, services } = await look();
      return placements.map(({ module }) =>
        sample({ module }, services.filter((one) => one.wanted && one.module === module).length),
      );
    },
  );
  gauge(
    'banyan_instance_start_failures',
    'Ends in a row of a process before it was healthy',
    ['module', 'number'],
    async () =>
      (await look()).services
        .filter(({ wanted }) => wanted)
        .map(({ module, number, failures }) => sample({ module, number: String(number) }, failures)),
  );
}

function lookNow(tables: Measured['tables']): () => Promise<Tables> {
  let looked = Number.NEGATIVE_INFINITY;
  let found: Promise<Tables> | undefined;
  return () => {
    if (!found || performance.now() - looked > FRESH_MS) {
      looked = performance.now();
      found = tables();
    }
    return found;
  };
}
