// On what evidence a module is moved: its ladder with both sides' numbers and the verdict in words, what a person may do with
// it, and answers that differed, side by side.

import type { Ladder, Evidence as Row, Sample } from '../../../ladder/desk/contract.ts';
import type { PictureModule } from '../../shared/picture-shape.ts';
import { Act, Lacks } from '../kit/act.ts';
import { send } from '../kit/api.ts';
import { Badge, type Tone } from '../kit/badge.ts';
import { Confirm } from '../kit/confirm.ts';
import { html } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { query, setQuery } from '../kit/router.ts';
import { may } from '../kit/system.ts';
import { Table } from '../kit/table.ts';
import { Ago, Time } from '../kit/time.ts';
import { rung } from '../kit/under-way.ts';
import { isUnderWay } from '../kit/words.ts';

const TONES: Readonly<Record<Ladder['state'], Tone>> = {
  none: 'plain',
  running: 'busy',
  paused: 'warn',
  done: 'good',
  demoted: 'bad',
  stopped: 'warn',
};

const VERDICTS = { good: 'good', bad: 'bad', open: 'not known yet' } as const;

export function Evidence({ name, transfer }: { name: string; transfer: PictureModule['transfer'] }) {
  const path = `/admin/ladders/${encodeURIComponent(name)}`;
  const { data: ladder, problem, reload } = useResource<Ladder>(path, { everyMs: 2_000 });
  if (!ladder && !problem) return null;
  return html`<h2>Ladder and evidence</h2>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${ladder ? html`<${State} ladder=${ladder} transfer=${transfer} /><${Acts} ladder=${ladder} path=${path} reload=${reload} /><${Samples} name=${name} />` : null}`;
}

/** Of a module that was never on one: a ladder that is about to begin, or failed to, is said so. */
function none(transfer: PictureModule['transfer']): string {
  if (transfer?.to !== 'ladder') return 'never on a ladder';
  if (isUnderWay(transfer)) return 'about to begin';
  return transfer.step === 'failed' ? 'its ladder did not begin' : 'beginning';
}

function State({ ladder, transfer }: { ladder: Ladder; transfer: PictureModule['transfer'] }) {
  const {
    state,
    rung: at,
    reason,
    steps,
    evidence,
    shadow,
    unjudged,
    promoted = [],
    weaker,
    startedAt,
    startedBy,
    rungSince,
    waits,
    watched,
  } = ladder;
  const tried = shadow.mirrored + shadow.skipped + shadow.failed > 0;
  return html`
    <p><${Badge} tone=${TONES[state]}>${state === 'none' ? none(transfer) : `${state}${at === null ? '' : ` at ${rung(at)}`}`}<//>${waits === null ? '' : ` waits for ${waits}`}${watched ? ', watched' : ''}${startedAt === null ? null : html` <span class="quiet">begun <${Time} at=${startedAt} /> by ${startedBy}${rungSince === null ? null : html`, on this rung since <${Ago} at=${rungSince} />`}</span>`}</p>
    ${state === 'none' && transfer?.to === 'ladder' && transfer.step === 'failed' ? html`<p class="reason">${transfer.reason} <span class="quiet"><${Ago} at=${transfer.changedAt} />, asked for by ${transfer.startedBy}</span></p>` : null}
    ${reason === null ? null : html`<p class=${state === 'demoted' ? 'reason bad' : 'reason'}>${reason}</p>`}
    ${steps.length > 0 ? html`<p class="quiet">${steps.map(rung).join(' → ')}</p>` : null}
    ${weaker.map((one) => html`<p class="notice" key=${one}>${one}</p>`)}
    ${
      evidence.length > 0
        ? html`<${Table} caption="Evidence" rows=${evidence} keyOf=${(one: Row) => `${one.rung} ${one.metric}`} columns=${[
            { title: 'Rung', head: true, cell: (one: Row) => rung(one.rung) },
            { title: 'Counted', cell: (one: Row) => one.metric },
            { title: 'Monolith', number: true, cell: ({ near }: Row) => part(near) },
            { title: 'Service', number: true, cell: ({ far }: Row) => part(far) },
            {
              title: 'Verdict',
              cell: ({ verdict }: Row) =>
                html`<${Badge} tone=${verdict === 'open' ? 'plain' : verdict}>${VERDICTS[verdict]}<//>`,
            },
          ]} />`
        : null
    }
    ${tried ? html`<p>Tried on the service: ${shadow.mirrored}, of which ${shadow.differed} differed; ${shadow.skipped} skipped, ${shadow.failed} failed.</p>` : null}
    ${promoted.map((one) => html`<p class="notice" key=${one.rung}>${rung(one.rung)} was left by hand: ${one.reason}</p>`)}
    ${unjudged.length > 0 ? html`<p class="quiet">Too few were tried to judge: ${unjudged.join(', ')}.</p>` : null}`;
}

const part = ({ n, bad }: Row['near']) =>
  `${bad} of ${n}${n > 0 ? ` (${((100 * bad) / n).toFixed(bad === 0 ? 0 : 2)} %)` : ''}`;

const ACTS = {
  promote: { name: 'Promote', says: 'The next rung now, whatever the evidence.', at: ['running', 'paused'] },
  pause: {
    name: 'Pause',
    says: 'It climbs no further for now; the share stays, and it still comes down by itself.',
    at: ['running'],
  },
  resume: { name: 'Resume', says: 'It goes on where it was paused.', at: ['paused'] },
  demote: {
    name: 'Demote',
    says: 'Back into the monolith now, in one flip.',
    at: ['running', 'paused', 'done'],
  },
} as const;

function Acts({ ladder, path, reload }: { ladder: Ladder; path: string; reload: () => Promise<void> }) {
  const { act } = query.value;
  const open = act !== undefined && act in ACTS ? (act as keyof typeof ACTS) : undefined;
  const shown = Object.entries(ACTS).filter(([, { at }]) => (at as readonly string[]).includes(ladder.state));
  const close = () => setQuery({ act: undefined });
  return html`${shown.length === 0 ? null : html`<div class="row">${shown.map(([id, { name }]) => html`<${Act} needs="place" class="small" key=${id} onClick=${() => setQuery({ act: id }, { replace: false })}>${name}<span class="heard"> ${ladder.module}</span><//>`)}</div><${Lacks} needs="place" />`}
    ${
      open
        ? html`<${Confirm} title=${`${ACTS[open].name} ${ladder.module}`} button=${ACTS[open].name} needs="place" command=${`npx banyan ladder ${open} ${ladder.module}`} dangerous=${open === 'demote'} onClose=${close} onConfirm=${async () => {
            await send('POST', `${path}/${open}`, {});
            await reload();
          }}><p>${ACTS[open].says}</p><//>`
        : null
    }`;
}

function Samples({ name }: { name: string }) {
  const shown = query.value.samples !== undefined;
  const { data, problem } = useResource<{ items: readonly Sample[] }>(
    shown && may('place') ? `/admin/ladders/${encodeURIComponent(name)}/samples` : null,
    { everyMs: 10_000 },
  );
  return html`<p class="row"><button type="button" class="small" aria-expanded=${shown} onClick=${() => setQuery({ samples: shown ? undefined : 1 })}>Answers that differed</button></p>
    ${shown ? html`<${Lacks} needs="place" />` : null}
    ${problem ? html`<${ProblemBox} problem=${problem} />` : null}
    ${shown && data?.items.length === 0 ? html`<p class="quiet">None: of the answers that were compared none differed.</p>` : null}
    ${
      shown
        ? data?.items.slice(0, 20).map(
            (one) => html`<section class="card sample" key=${`${one.operation} ${one.at}`}>
      <h3>${one.operation} <span class="quiet"><${Time} at=${one.at} /></span></h3>
      <ul>${one.why.map((line) => html`<li>${line}</li>`)}</ul>
      <div class="split"><div><span class="label">Monolith</span><pre tabindex="0">${JSON.stringify(one.near, null, 2)}</pre></div><div><span class="label">Service</span><pre tabindex="0">${JSON.stringify(one.far, null, 2)}</pre></div></div>
    </section>`,
          )
        : null
    }`;
}
