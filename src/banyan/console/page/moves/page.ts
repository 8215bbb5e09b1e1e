// What moves: stores on their way to another server, pairs that follow each other, and ladders that climb.
import type { Store, StoreEntry } from '../../../servers/desk/contract.ts';
import { STORE_STEPS } from '../../shared/words.ts';
import { Empty, Loading } from '../kit/empty.ts';
import { html } from '../kit/html.ts';
import { picture } from '../kit/live.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href } from '../kit/router.ts';
import { STATES, StoreActs, StoreState } from '../kit/store-view.ts';
import { Table } from '../kit/table.ts';
import { UnderWay } from '../kit/under-way.ts';
import { behind } from '../kit/words.ts';

export const title = 'Moves';

interface Answer {
  readonly items: readonly StoreEntry[];
  readonly stays: Store['stays'];
}

export default function Page() {
  const { data, problem, loading, reload } = useResource<Answer>('/admin/stores', { everyMs: 2_000 });
  const now = picture.value;
  if (loading) return html`<${Loading} />`;
  const moving = data?.items.filter(({ state }) => state !== 'single') ?? [];
  return html`${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${now ? html`<${UnderWay} picture=${now} />` : null}
    ${moving.length === 0 && data ? html`<${Empty} title="No store is on its way, and none has a pair."><p>A module’s “Move …” has its store go to a server of its own while the module runs.</p><//>` : null}
    ${moving.map(({ module }) => html`<${Moving} key=${module} name=${module} reload=${reload} />`)}
    ${
      data
        ? html`<h2>Stores</h2><${Table} caption="Stores" rows=${data.items} keyOf=${(one: StoreEntry) => one.module} columns=${[
            {
              title: 'Module',
              head: true,
              cell: ({ module }: StoreEntry) =>
                html`<a href=${href(`/modules/${encodeURIComponent(module)}`)}>${module}</a>`,
            },
            { title: 'Server', cell: ({ server }: StoreEntry) => server },
            {
              title: 'Moved',
              number: true,
              cell: ({ epoch }: StoreEntry) =>
                epoch === 0 ? 'never' : epoch === 1 ? 'once' : `${epoch} times`,
            },
            {
              title: 'State',
              cell: ({ state, step }: StoreEntry) =>
                `${STATES[state]}${step === null ? '' : `: ${STORE_STEPS[step]}`}`,
            },
            { title: 'Lag', cell: ({ lag }: StoreEntry) => (lag === null ? '–' : behind(lag)) },
          ]} />
    ${data.stays.map((one) => html`<p class="quiet" key=${`${one.module} ${one.schema}`}>${one.schema} of ${one.module} stays where it is: ${one.reason}</p>`)}`
        : null
    }`;
}

function Moving({ name, reload: again }: { name: string; reload: () => Promise<void> }) {
  const { data, problem, reload } = useResource<Store>(`/admin/stores/${encodeURIComponent(name)}`, {
    everyMs: 1_000,
  });
  const both = async () => {
    await Promise.all([reload(), again()]);
  };
  return html`<section class="card move"><h2>${name}</h2>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${data ? html`<${StoreState} store=${data} /><${StoreActs} store=${data} reload=${both} />` : null}</section>`;
}
