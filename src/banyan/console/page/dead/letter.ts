// One event that a consumer could not handle: why, every attempt, its data, which can be mended and tried without effect, and
// the decision: redrive or drop.
import { Act } from '../kit/act.ts';
import { send } from '../kit/api.ts';
import { Badge, type Tone } from '../kit/badge.ts';
import { Confirm } from '../kit/confirm.ts';
import { Loading } from '../kit/empty.ts';
import { html, useEffect, useState } from '../kit/html.ts';
import { ProblemBox } from '../kit/problem.ts';
import { useResource } from '../kit/resource.ts';
import { href, query, setQuery } from '../kit/router.ts';
import { SagaLink } from '../kit/saga-link.ts';
import { may, system, whyNot } from '../kit/system.ts';
import { Ago, Time } from '../kit/time.ts';
import { beforehand, dropOne, redriveOne } from './commands.ts';
import { type Edited, EventData, isOver, useEdited } from './data.ts';
import { Why } from './many.ts';
import { Attempts, Audit, Headers, LetterTrace } from './past.ts';
import type { LetterDetails } from './shape.ts';
import { Beforehand, type Trial, useTrial } from './trial.ts';

export const title = ({ id }: Readonly<Record<string, string>>) => `Letter ${id}`;

export const TONES: Readonly<Record<string, Tone>> = {
  done: 'good',
  dead: 'bad',
  waiting: 'busy',
  queued: 'busy',
  early: 'busy',
  'unknown-version': 'warn',
  dropped: 'plain',
};

export default function Page({ params: { id = '' } }: { params: Readonly<Record<string, string>> }) {
  const { module } = query.value;
  const asked = new URLSearchParams({ any: 'true', ...(module ? { module } : {}) });
  const allowed = may('events');
  const path = allowed ? `/admin/events/dead/${encodeURIComponent(id)}?${asked}` : null;
  const [moves, setMoves] = useState(false);
  const { data, problem, loading, reload } = useResource<LetterDetails>(path, {
    everyMs: moves ? 1_000 : 5_000,
  });
  // What is on its way is soon somewhere else.
  const isMoving = data?.state === 'queued' || data?.state === 'waiting';
  useEffect(() => setMoves(isMoving), [isMoving]);
  if (!allowed)
    return html`<p><a href=${href('/dead')}>All dead letters</a></p>
      <p class="notice">The data of an event is shown to few, and nobody else tries, mends, redrives or drops it. ${whyNot('events')}</p>`;
  return html`
    <p><a href=${href('/dead')}>All dead letters</a></p>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${reload} />` : null}
    ${loading ? html`<${Loading} />` : null}
    ${data ? html`<${Letter} key=${`${data.module} ${data.id}`} letter=${data} reload=${reload} />` : null}`;
}

function Letter({ letter, reload }: { letter: LetterDetails; reload: () => Promise<void> }) {
  const edited = useEdited(letter);
  const trial = useTrial(letter, edited);
  const [said, setSaid] = useState<string | undefined>(undefined);
  const over = isOver(letter);
  const { ask } = query.value;
  const open = over || !may('events') ? undefined : ask;
  const close = () => setQuery({ ask: undefined });
  const asks = (what: 'redrive' | 'drop') => () => setQuery({ ask: what });
  const done = async (words: string) => {
    await reload();
    setSaid(words);
  };
  const { verdict } = trial;
  return html`
    <${Facts} letter=${letter} />
    <p role="status" class="letters-said">${said === undefined ? '' : becameOf(letter, said)}</p>
    ${
      over
        ? html`<p class="quiet">Nothing is left to decide: it is ${letter.state}.</p>`
        : html`<div class="row" role="group" aria-label="What can be done">
      <${Act} needs="events" class=${verdict === 'works' ? '' : 'primary'} onClick=${trial.run} disabled=${trial.busy || (edited.changed && edited.wrongJson !== undefined)}>${trial.busy ? 'Trying…' : 'Try'}<//>
      <${Act} needs="events" class=${verdict === 'works' ? 'primary' : ''} onClick=${asks('redrive')}>Redrive…<//>
      <${Act} needs="events" class="danger" onClick=${asks('drop')}>Drop…<//>
      <span class="quiet">Try runs the listener and rolls all of it back.</span>
    </div>`
    }
    ${over ? null : trial.shown}
    ${letter.raw === null ? html`<h2>Data</h2><p class="quiet">Not kept: of what is done only that it was is known. The log has it for some days.</p>` : html`<${EventData} letter=${letter} edited=${edited} />`}
    <${Attempts} letter=${letter} />
    <${Headers} letter=${letter} />
    <${Audit} letter=${letter} />
    ${open === 'redrive' ? html`<${Redrive} letter=${letter} edited=${edited} trial=${trial} onClose=${close} onDone=${done} />` : null}
    ${open === 'drop' ? html`<${Drop} letter=${letter} onClose=${close} onDone=${done} />` : null}`;
}

/** What became of what was decided here, as far as it is known by now. */
function becameOf({ state }: LetterDetails, said: string): string {
  if (state === 'done' || state === 'dropped') return '';
  if (state === 'queued' || state === 'waiting') return said;
  return `It was tried again, and is ${state} again: its reason and attempts say why.`;
}

function Facts({ letter }: { letter: LetterDetails }) {
  const {
    module,
    type,
    key,
    topic,
    sequence,
    state,
    meaning,
    reason,
    attempts,
    holds,
    behind,
    since,
    nextAt,
    alsoIn,
    id,
    byHand,
  } = letter;
  return html`<dl class="letter-facts">
    <dt>State</dt><dd><${Badge} tone=${TONES[state]}>${state}<//>, <${Ago} at=${since} />. <span class="quiet">${meaning}</span></dd>
    <dt>Reason</dt><dd>${reason ?? '–'}</dd>
    <dt>Event</dt><dd>${type}${sequence === null ? '' : ` #${sequence}`} <span class="quiet">on ${topic}</span></dd>
    ${byHand === null ? null : html`<dt>Published</dt><dd>by hand, by ${byHand.by}, <${Ago} at=${byHand.at} /></dd>`}
    <dt>Key</dt><dd><code>${key}</code> <a href=${href('/dead', { key })}>Letters of this key</a>${system.has.traces ? html` · <a href=${href('/traces', { key })}>Traces of this key</a>` : null} <${SagaLink} id=${key} /></dd>
    <dt>At</dt><dd><a href=${href(`/modules/${module}`)}>${module}</a>${alsoIn.length > 0 ? html`, and ${state} as well at ${alsoIn.map((one) => html`<a key=${one} href=${href(`/dead/${id}`, { module: one })}>${one}</a> `)}` : null}</dd>
    <dt>Failed</dt><dd>${attempts}×${holds ? `; it holds its key${behind === 0 ? '' : `, and ${behind} ${behind === 1 ? 'event waits' : 'events wait'} behind it`}` : ''}${nextAt ? html`; tried next at <${Time} at=${nextAt} />` : null}</dd>
    <dt>Trace</dt><dd><${LetterTrace} letter=${letter} /></dd>
  </dl>`;
}

interface DecisionProps {
  readonly letter: LetterDetails;
  readonly onClose: () => void;
  readonly onDone: (words: string) => Promise<void>;
}

interface RedriveProps extends DecisionProps {
  readonly edited: Edited;
  readonly trial: Trial;
}

function Redrive({ letter, edited, trial, onClose, onDone }: RedriveProps) {
  const { id, module, notSentAgain } = letter;
  const redrive = async () => {
    const { items } = await send<{ items: readonly { state: string; behind: string | null }[] }>(
      'POST',
      `/admin/events/dead/${id}/redrive`,
      { module, ...(edited.changed ? { data: edited.data } : {}) },
    );
    edited.reset();
    const behind = items.find((one) => one.behind)?.behind;
    await onDone(behind ? `On the way again: it waits behind ${behind} of its key.` : 'On the way again.');
  };
  const wrong = edited.changed && (edited.wrongJson !== undefined || edited.errors.length > 0);
  const before = beforehand(edited.inLine);
  return html`<${Confirm} title="Redrive" button="Redrive" needs="events" command=${redriveOne(id, module, edited.inLine)}
      dangerous=${trial.verdict === 'fails'} doubtful=${trial.verdict !== 'works'}
      onConfirm=${redrive} onClose=${onClose} unready=${wrong ? 'The data that you typed cannot be read by its consumer: see what stands below it.' : undefined}>
    <p>${edited.changed ? html`<strong>With the data that you typed.</strong> What it was and what you typed are kept.` : 'With its data as it came.'} It is tried again in its place in the order of its key.</p>
    ${wrong ? null : html`<${Beforehand} trial=${trial} />`}
    ${before === undefined ? null : html`<p class="quiet">In a terminal: ${before}</p>`}
    ${notSentAgain.length > 0 ? html`<p class="quiet">Not sent again, but made new or left out: ${notSentAgain.join(', ')}.</p>` : null}
  <//>`;
}

function Drop({ letter: { id, module }, onClose, onDone }: DecisionProps) {
  const [why, setWhy] = useState('');
  const drop = async () => {
    await send('POST', `/admin/events/dead/${id}/drop`, { module, why: why.trim() });
    await onDone('Dropped.');
  };
  return html`<${Confirm} title="Drop" button="Drop" dangerous needs="events" command=${dropOne(id, module, why.trim())}
      onConfirm=${drop} onClose=${onClose} unready=${why.trim() === '' ? 'Say why: the reason is kept.' : undefined}>
    <${Why} one value=${why} onInput=${setWhy} />
  <//>`;
}
