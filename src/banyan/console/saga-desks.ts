// Where the sagas of a system can be seen and helped: found by what contracts say of their operations (`saga`), so that the
// console knows no module. A module that has a list and shows one is enough; what it lacks besides is not offered.
import { listed } from '../context/scopes.ts';
import type { Contract, OperationSpec, SagaRole } from '../contract/contract.ts';
import type { SagaAsk, SagaDesk } from './system-shape.ts';

export function sagaDesks(contracts: readonly Contract[]): SagaDesk[] {
  return contracts.flatMap((contract) => {
    const operations: readonly OperationSpec[] = Object.values(contract.operations);
    const ask = (role: SagaRole): SagaAsk | null => {
      const found = operations.find(({ saga }) => saga?.role === role);
      return found?.http
        ? {
            path: found.http.path,
            method: found.http.method,
            needs: [...listed(found.scope ?? [])],
            command: found.saga?.command ?? null,
          }
        : null;
    };
    const [list, show] = [ask('list'), ask('show')];
    if (!list || !show) return [];
    const idName = /:(\w+)/.exec(show.path)?.[1] ?? 'id';
    const rest = { style: ask('style'), retry: ask('retry'), cancel: ask('cancel') };
    return [{ module: contract.module, idName, list, show, ...rest }];
  });
}
