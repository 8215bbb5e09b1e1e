// What ladders ask of shadows: what all hosts that mirror a module counted of it since its present placement began.
import type { Contract } from '../contract/contract.ts';
import { noShadows, type Shadowing } from '../ladder/judge/shadowing.ts';
import { cannot } from '../ladder/shadow/attempt.ts';
import { isLive } from '../placement/picture.ts';
import type { HostRow, Tables } from '../placement/tables.ts';
import type { Placements } from '../routing/snapshot.ts';
import { type ShadowReport, type ShadowReports, shadowSum } from '../telemetry/shadow-reports.ts';

export interface ShadowingOptions {
  readonly placements: Pick<Placements, 'current'>;
  readonly contracts: readonly Contract[];
  readonly tables: () => Promise<Pick<Tables, 'hosts'>>;
  /** What every live host says, in a bounded time. */
  readonly collect: () => Promise<readonly { readonly shadows?: ShadowReports | undefined }[]>;
}

/** So many comparisons find what always differs (ladder/judge/judge.ts), and fewer find nothing. */
const LEAST_JUDGED = 10;

function whyNot(module: string, live: readonly HostRow[]): string | undefined {
  const old = live.filter(({ speaks }) => !speaks.includes('shadow')).map(({ id }) => id);
  if (old.length > 0) return `${old.join(', ')} knows no placement of that name`;
  const byHttp = live.filter((one) => one.role === 'service' && one.modules.includes(module));
  if (byHttp.length === 0 || byHttp.some(({ doors }) => doors.includes('ws'))) return undefined;
  return `${byHttp.map(({ id }) => id).join(', ')} takes calls by HTTP alone, and shadows go over a WebSocket`;
}

export function createShadowing({ placements, contracts, tables, collect }: ShadowingOptions): Shadowing {
  const sum = async (module: string) => {
    const entry = placements.current.modules[module];
    // Nobody is asked where nothing is mirrored.
    return shadowSum(entry?.mirror ? await collect() : [], module, entry?.changedAt ?? '');
  };
  const paused = async () => {
    const { modules } = placements.current;
    const mirrored = Object.values(modules).filter(({ mirror }) => mirror !== undefined);
    const hosts = mirrored.length > 0 ? await collect() : [];
    const found = mirrored.map(
      ({ module, changedAt }) => [module, shadowSum(hosts, module, changedAt).paused] as const,
    );
    return new Map(found.flatMap(([module, why]) => (why === undefined ? [] : [[module, why] as const])));
  };
  const unjudged = (module: string, { judged }: ShadowReport): string[] => {
    const all = contracts.find((one) => one.module === module)?.operations ?? {};
    // Nothing is mirrored, or a host of the version before does not tell.
    if (!placements.current.modules[module]?.mirror || !judged) return [];
    return Object.keys(all).filter((name) => !cannot(all[name]!) && (judged[name] ?? 0) < LEAST_JUDGED);
  };
  return {
    paused,
    refusal: async (module) => {
      const operations = contracts.find((one) => one.module === module)?.operations ?? {};
      const why = Object.values(operations).every(cannot)
        ? `no operation of ${module} can be shadowed (/openapi.json says why of each)`
        : whyNot(module, (await tables()).hosts.filter(isLive));
      return why && `${module} is not shadowed: ${why}. Begin with a small share: --steps 1,10,50,100`;
    },
    counts: async (module) => {
      const found = await sum(module);
      const { mirrored, differed, skipped, failed, skips, paused: why } = { ...noShadows, ...found };
      const told = { ...(skips && { skips }), ...(why !== undefined && { paused: why }) };
      return { mirrored, differed, skipped, failed, ...told, unjudged: unjudged(module, found) };
    },
    differences: async (module) => {
      const found = await sum(module);
      const { near, far, differences, operations = {}, learning } = found;
      const each = Object.entries(operations).map(([operation, counts]) => {
        return { operation, why: differences[operation] ?? 'differs', ...counts };
      });
      return { near, far, operations: each, learning, unjudged: unjudged(module, found) };
    },
  };
}
