// Requests of a share that the far side did not answer and the near one did, counted as failures of the far one: by
// operation, and once for each.
import type { FastifyRequest } from 'fastify';
import type { Contract, OperationSpec } from '../contract/contract.ts';
import type { Stats } from '../telemetry/stats.ts';
import { fellBackAtOnce } from './routed.ts';

export type TellFallen = (module: string, request: FastifyRequest, ms: number) => void;

export function fallenRequests(contracts: readonly Contract[], stats: Stats): TellFallen {
  const names = new Map<OperationSpec, string>(
    contracts.flatMap(({ operations }) => Object.entries(operations).map(([name, spec]) => [spec, name])),
  );
  return (module, { operation, routeOptions }, ms) => {
    const name = operation ? names.get(operation) : routeOptions.config.operation;
    if (name !== undefined) stats.fellBack(module, name, ms);
  };
}

/** Nobody of the far side could be asked: the router has decided. */
export function tellOfRouted(request: FastifyRequest, tell: TellFallen): void {
  const module = fellBackAtOnce(request.raw);
  if (module !== undefined) tell(module, request, 0);
}
