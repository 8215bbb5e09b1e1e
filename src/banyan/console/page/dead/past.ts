// What happened to a letter: every attempt with its error and trace, the headers it came with, and what people decided.
import { Badge } from '../kit/badge.ts';
import { html } from '../kit/html.ts';
import { href } from '../kit/router.ts';
import { system } from '../kit/system.ts';
import { Table } from '../kit/table.ts';
import { Time } from '../kit/time.ts';
import { isKept, TraceLink, traceOf } from '../kit/trace-link.ts';
import type { Act, Attempt, LetterDetails } from './shape.ts';

type Of = { readonly letter: LetterDetails };

/** Of the event itself: how it came to be, and all that was tried under the same trace. */
export function LetterTrace({ letter: { headers, history } }: Of) {
  const traceparent = headers?.traceparent ?? null;
  const trace = traceOf(traceparent);
  const last = history.findLast((one) => traceOf(one.traceparent) === trace);
  const at = last?.at ?? headers?.ce_time;
  const missing = trace !== undefined && system.has.traces && !isKept(at);
  return html`<${TraceLink} traceparent=${traceparent} at=${at} />${missing ? html` <span class="quiet">Not kept: nobody was looking at traces. <a href=${href('/traces')}>Look at them</a>, and what is tried from then on is kept.</span>` : null}`;
}

export function Attempts({ letter: { history } }: Of) {
  if (history.length === 0)
    return html`<h2>Attempts</h2><p class="quiet">None: it was never given to its listener.</p>`;
  const columns = [
    { title: 'Attempt', head: true, cell: ({ attempt }: Attempt) => String(attempt) },
    { title: 'At', cell: ({ at }: Attempt) => html`<${Time} at=${at} />` },
    { title: 'Host', cell: ({ host }: Attempt) => host },
    {
      title: 'Error',
      cell: ({ error, stack }: Attempt) =>
        stack
          ? html`<details class="letter-attempt"><summary>${error}</summary><pre>${stack}</pre></details>`
          : error,
    },
    {
      title: 'Trace',
      cell: ({ traceparent, at }: Attempt) => html`<${TraceLink} traceparent=${traceparent} at=${at} />`,
    },
  ];
  return html`<h2>Attempts</h2>
    <p class="quiet">The latest first. Of very many the first one and the last 99 are kept.</p>
    <${Table} caption="Attempts" columns=${columns} rows=${history.toReversed()} keyOf=${({ at, attempt }: Attempt) => `${at} ${attempt}`} />`;
}

export function Headers({ letter: { headers, notSentAgain } }: Of) {
  if (headers === null) return null;
  const rows = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const columns = [
    { title: 'Header', head: true, cell: ({ name }: Header) => html`<code>${name}</code>` },
    { title: 'Value', cell: ({ value }: Header) => html`<code>${value}</code>` },
    {
      title: 'When redriven',
      cell: ({ name }: Header) =>
        !notSentAgain.includes(name)
          ? html`<span class="quiet">kept</span>`
          : html`<${Badge} tone="busy">${name === 'traceparent' ? 'made new' : 'left out'}<//>`,
    },
  ];
  return html`<h2>Headers</h2><${Table} caption="Headers" columns=${columns} rows=${rows} keyOf=${({ name }: Header) => name} />`;
}

interface Header {
  readonly name: string;
  readonly value: string;
}

export function Audit({ letter: { audit } }: Of) {
  if (audit.length === 0) return null;
  const columns = [
    { title: 'Decision', head: true, cell: ({ action }: Act) => action },
    { title: 'At', cell: ({ at }: Act) => html`<${Time} at=${at} />` },
    { title: 'By', cell: ({ by }: Act) => by },
    { title: 'Why', cell: ({ why, detail }: Act) => why ?? reasonIn(detail) },
    { title: 'What it changed', cell: (one: Act) => html`<${Changed} one=${one} />` },
  ];
  return html`<h2>What people decided</h2>
    <${Table} caption="What people decided" columns=${columns} rows=${audit} keyOf=${({ at, action }: Act) => `${at} ${action}`} />`;
}

interface Detail {
  readonly reason?: unknown;
  readonly headers?: readonly {
    readonly name: string;
    readonly before: string;
    readonly after: string | null;
  }[];
}

function reasonIn(detail: unknown): string {
  const { reason } = (detail ?? {}) as Detail;
  return typeof reason === 'string' ? `it was: ${reason}` : '–';
}

/** JSON as people read it; anything else as it is. */
function laidOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Changed({ one: { detail, original, replacement } }: { one: Act }) {
  const { headers = [] } = (detail ?? {}) as Detail;
  if (original === null && replacement === null && headers.length === 0)
    return html`<span class="quiet">–</span>`;
  return html`${
    original === null && replacement === null
      ? null
      : html`<details class="letter-edit"><summary>The data</summary>
        <p>It was</p>${original === null ? html`<p class="quiet">nothing.</p>` : html`<pre>${laidOut(original)}</pre>`}
        <p>It became</p>${replacement === null ? html`<p class="quiet">not kept: a host of an older version wrote it.</p>` : html`<pre>${laidOut(replacement)}</pre>`}</details>`
  }
    ${headers.map(({ name, before, after }) => html`<div key=${name}><code>${name}</code> ${after === null ? 'left out' : 'made new'} <span class="quiet">it was <code>${before}</code></span></div>`)}`;
}
