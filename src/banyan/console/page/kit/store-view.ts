// One store: where it is, how its move goes (copy, lag, pause), and what a person may do with it. The words are those of
// `banyan store show`.
import type { Move, Store } from '../../../servers/desk/contract.ts';
import { STORE_STEPS } from '../../shared/words.ts';
import { Act, Lacks } from './act.ts';
import { send } from './api.ts';
import { Badge } from './badge.ts';
import { Confirm } from './confirm.ts';
import { html } from './html.ts';
import { query, setQuery } from './router.ts';
import { Ago, Time } from './time.ts';
import { behind, serverInWords } from './words.ts';

const TONES = { single: 'plain', moving: 'busy', paired: 'good', broken: 'bad' } as const;

/** What a store's state is called. */
export const STATES = {
  single: 'on one server',
  moving: 'moving',
  paired: 'paired',
  broken: 'broken',
} as const;

export function StoreState({ store }: { store: Store }) {
  const { server, state, pairedWith, pair, move } = store;
  const lag = pair
    ? [pair.state, pair.lagBytes === null ? '' : behind(pair.lagBytes)].filter(Boolean).join(', ')
    : '';
  return html`<p>It is on <strong>${serverInWords(server)}</strong>${state === 'single' ? ', and on no other' : html`, <${Badge} tone=${TONES[state]}>${STATES[state]}<//>`}${pairedWith === null ? '' : `; ${serverInWords(pairedWith)} follows`}${lag === '' ? '' : ` (${lag})`}</p>
    ${pair?.reason ? html`<p class="problem">${pair.reason}</p>` : null}
    ${move ? html`<${Moved} move=${move} />` : null}`;
}

function Moved({ move }: { move: Move }) {
  const {
    task,
    from,
    to,
    state,
    step,
    attempt,
    why,
    code,
    findings,
    rows,
    numbers,
    tables,
    notes,
    startedAt,
    startedBy,
    endedAt,
  } = move;
  const { total, ...parts } = numbers;
  const pause = Object.entries(parts).map(([name, ms]) => `${name} ${Math.round(ms)}`);
  const unlike = tables.filter(({ alike }) => !alike);
  return html`<p><strong>${task} ${from} → ${to}</strong>: ${state === 'running' ? STORE_STEPS[step] : state}${attempt > 0 ? `, ${attempt} ${attempt === 1 ? 'pause' : 'pauses'} that came to nothing` : ''} <span class="quiet">begun <${Time} at=${startedAt} /> by ${startedBy}${endedAt === null ? null : html`, ended <${Ago} at=${endedAt} />`}</span></p>
    ${rows && state === 'running' ? html`<p><progress max=${Math.max(1, rows.total)} value=${rows.copied} aria-label="Rows"></progress> ${rows.copied} of ${rows.total || '?'} rows</p>` : null}
    ${total === undefined && pause.length === 0 ? null : html`<p>The pause: ${Math.round(total ?? 0)} ms <span class="quiet">${pause.join(', ')}</span></p>`}
    ${tables.length > 0 ? html`<p>Compared ${tables.reduce((sum, one) => sum + one.rows, 0)} rows in ${tables.length} tables: ${unlike.length === 0 ? 'all alike' : `not alike: ${unlike.map(({ table }) => table).join(', ')}`}</p>` : null}
    ${why === null ? null : html`<p class="notice">${why}${code === null ? '' : ` (${code})`}</p>`}
    ${findings.map((one) => html`<p class="notice" key=${one.code}>${one.detail}. ${one.remedy}</p>`)}
    ${notes.map((note) => html`<p class="quiet" key=${note}>${note}</p>`)}`;
}

const ACTS = {
  back: {
    name: 'Back',
    says: 'The store moves to the server that follows; the pair stays.',
    dangerous: false,
  },
  verify: {
    name: 'Verify',
    says: 'Every row of both servers is compared. Nothing is changed.',
    dangerous: false,
  },
  finish: {
    name: 'Finish',
    says: 'The pair ends; the store stays where it is. The way back is a new copy then.',
    dangerous: true,
  },
  abort: {
    name: 'Abort',
    says: 'What has not come to its commit point is taken back; everything is as before.',
    dangerous: true,
  },
} as const;
type Deed = keyof typeof ACTS;

const actsOf = ({ state }: Store): Deed[] =>
  state === 'moving'
    ? ['abort']
    : state === 'paired'
      ? ['back', 'verify', 'finish', 'abort']
      : state === 'broken'
        ? ['finish']
        : [];

export function StoreActs({ store, reload }: { store: Store; reload: () => Promise<void> }) {
  const { module } = store;
  const asked = query.value.store?.split(' ');
  const open = asked?.[1] === module && asked[0]! in ACTS ? (asked[0] as Deed) : undefined;
  const close = () => setQuery({ store: undefined });
  const shown = actsOf(store);
  return html`${shown.length === 0 ? null : html`<div class="row">${shown.map((act) => html`<${Act} needs="store" class="small" key=${act} onClick=${() => setQuery({ store: `${act} ${module}` }, { replace: false })}>${ACTS[act].name}<span class="heard"> ${module}</span><//>`)}</div><${Lacks} needs="store" />`}
    ${
      open
        ? html`<${Confirm} title=${`${ACTS[open].name} ${module}`} button=${ACTS[open].name} needs="store" command=${`npx banyan store ${open} ${module}`} dangerous=${ACTS[open].dangerous} onClose=${close} onConfirm=${async () => {
            await send('POST', `/admin/stores/${encodeURIComponent(module)}/${open}`, {});
            await reload();
          }}><p>${ACTS[open].says}</p><//>`
        : null
    }`;
}
