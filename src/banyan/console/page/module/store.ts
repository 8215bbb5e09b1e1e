// Where a module's store is: on which server, whether another follows, and what was done to it.
import type { Store } from '../../../servers/desk/contract.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { StoreActs, StoreState } from '../kit/store-view.ts';

export function StoreCard({ name }: { name: string }) {
  const { data, problem, reload } = useResource<Store>(`/admin/stores/${encodeURIComponent(name)}`, {
    everyMs: 2_000,
  });
  return html`<h2>Store</h2>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${data ? html`<${StoreState} store=${data} /><${StoreActs} store=${data} reload=${reload} />` : null}`;
}
