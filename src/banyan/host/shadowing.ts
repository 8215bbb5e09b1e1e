// What ladders ask of shadows: what all hosts that mirror a module counted of it since its present placement began.
import type { Contract } from '../contract/contract.ts';
import { cannot } from '../ladder/attempt.ts';
import { noShadows, type Shadowing } from '../ladder/shadowing.ts';
import { isLive } from '../placement/picture.ts';
import type { HostRow, Tables } from '../placement/tables.ts';
import type { Placements } from '../routing/snapshot.ts';
import { type ShadowReports, shadowSum } from '../telemetry/shadow-reports.ts';

export interface ShadowingOptions {
  readonly placements: Pick<Placements, 'current'>;
  readonly contracts: readonly Contract[];
  readonly tables: () => Promise<Pick<Tables, 'hosts'>>;
  /** What every live host says, in a bounded time. */
  readonly collect: () => Promise<readonly { readonly shadows?: ShadowReports | undefined }[]>;
}

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
  return {
    refusal: async (module) => {
      const operations = contracts.find((one) => one.module === module)?.operations ?? {};
      const why = Object.values(operations).every(cannot)
        ? `no operation of ${module} can be shadowed (/openapi.json says why of each)`
        : whyNot(module, (await tables()).hosts.filter(isLive));
      return why && `${module} is not shadowed: ${why}. Begin with a small share: --steps 1,10,50,100`;
    },
    counts: async (module) => {
      const { mirrored, differed, skipped, failed } = { ...noShadows, ...(await sum(module)) };
      return { mirrored, differed, skipped, failed };
    },
    differences: async (module) => {
      const { near, far } = await sum(module);
      return { near, far };
    },
  };
}
