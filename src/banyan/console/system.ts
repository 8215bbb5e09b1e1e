// What the page is told of this system: by what the contracts promise, so that it knows no module by name.
import { cannot } from '../ladder/shadow/attempt.ts';
import type { ConsoleParts } from './parts.ts';
import { sagaDesks } from './saga-desks.ts';
import type { Has, SignedIn, System } from './system-shape.ts';

export function systemOf(
  { product, prefix, host, contracts, own }: ConsoleParts,
  operator: SignedIn | null,
): System {
  return {
    product: product.title,
    version: product.version,
    prefix,
    gateway: host === null,
    operator,
    modules: contracts.map(({ module }) => module).sort(),
    shadowable: contracts
      .filter(({ operations }) => !Object.values(operations).every(cannot))
      .map(({ module }) => module)
      .sort(),
    sagas: sagaDesks(contracts),
    has: hasOf([...contracts, ...own.map(({ contract }) => contract)], host !== null),
  };
}

/** @param stores whether this host has the stores of modules, where events and letters are. */
function hasOf(all: ConsoleParts['contracts'], stores: boolean): Has {
  const paths = new Set(
    all.flatMap(({ operations }) => Object.values(operations).map(({ http }) => http?.path)),
  );
  const events = stores && all.some((contract) => Object.keys(contract.events ?? {}).length > 0);
  return {
    events,
    letters: events && paths.has('/admin/events/dead'),
    sagas: sagaDesks(all).length > 0,
    traces: paths.has('/admin/traces'),
    compare: paths.has('/admin/compares'),
    stores: paths.has('/admin/stores'),
    audit: paths.has('/admin/audit'),
  };
}
