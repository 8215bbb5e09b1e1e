// Where the time of one request goes: its spans one under another, both sides on the same clock, and above them what
// each process took for itself and what was spent between processes. From the trace of one real request.

import type { Report, Span, Trace } from '../../report-shape.ts';
import { html, type Markup } from '../markup.ts';
import { ms, percent } from '../numbers.ts';
import { NAME, SIDES } from '../words.ts';

const ROOM = 1000;

export function waterfalls(report: Report): Markup[] {
  const { traces } = report;
  if (!traces) return [];
  const kinds = [...new Set([...traces.a, ...traces.b].map((trace) => trace.kind))];
  return kinds.map((kind) => {
    const pair = SIDES.map((side) => traces[side].find((trace) => trace.kind === kind));
    const longest = Math.max(...pair.map((trace) => (trace ? lastEnd(trace) : 0)));
    const label = report.work.kinds.find((one) => one.kind === kind)?.label ?? kind;
    return html`<h3>${label}</h3><div class="pair">${SIDES.map((side, index) =>
      oneSide(`${NAME[side]}`, side, report.shapes[side].label, pair[index], longest),
    )}</div>`;
  });
}

const lastEnd = (trace: Trace) => Math.max(trace.ms, ...trace.spans.map((span) => span.startMs + span.ms));

function oneSide(
  name: string,
  side: string,
  label: string,
  trace: Trace | undefined,
  longest: number,
): Markup {
  const head = html`<h4><b class="side ${side}">${name}</b> ${label}</h4>`;
  if (!trace) return html`<div>${head}<p class="absent">No trace of this kind.</p></div>`;
  const processes = [...new Set(trace.spans.map((span) => span.process))];
  return html`<div>${head}<p class="note">${ms(trace.ms)}, the median of ${trace.of} traced. ${shares(trace)}</p>
<ol class="spans">${trace.spans.map((span) => {
    const look = `cut-${processes.indexOf(span.process) % 8}`;
    const left = (span.startMs / longest) * ROOM;
    const wide = Math.max(3, (span.ms / longest) * ROOM);
    return html`<li><span class="what" style="padding-left:${depth(trace.spans, span) * 0.8}em">${span.name} <small>${span.process}, ${span.role}, ${ms(span.ms)} from ${ms(span.startMs)}</small></span>
<svg class="stretch" viewBox="0 0 ${ROOM} 10" preserveAspectRatio="none" aria-hidden="true"><rect class="lane" width="${ROOM}" height="10"/><rect class="cut ${look}${span.role === 'client' ? ' wire' : ''}" x="${left.toFixed(1)}" width="${wide.toFixed(1)}" height="10"/></svg></li>`;
  })}</ol></div>`;
}

function depth(spans: readonly Span[], span: Span): number {
  let deep = 0;
  for (let at: Span | undefined = span; at?.parent && deep < 12; deep += 1) {
    const parent: string = at.parent;
    at = spans.find((one) => one.id === parent);
    if (!at) break;
  }
  return deep;
}

/** `monolith 0.4 ms (20 %), between processes 0.6 ms (30 %)`: the request alone, not what goes on after its answer. */
function shares(trace: Trace): string {
  const taken = new Map<string, number>();
  const root = trace.spans[0];
  if (!root) return '';
  for (const span of trace.spans.filter((one) => belongs(trace.spans, one, root))) {
    const inside = trace.spans.filter((one) => one.parent === span.id && belongs(trace.spans, one, root));
    const own = Math.max(0, span.ms - covered(span, inside));
    // What a caller waited beyond the work of the called process is the way there and back.
    const where =
      span.role === 'client' && inside.some((one) => one.process !== span.process)
        ? 'between processes'
        : span.process;
    taken.set(where, (taken.get(where) ?? 0) + own);
  }
  const whole = [...taken.values()].reduce((sum, one) => sum + one, 0) || 1;
  return [...taken].map(([where, own]) => `${where} ${ms(own)} (${percent(own / whole)})`).join(', ');
}

/** Work that an event or a queue began is told, but is not time that the client waited. */
function belongs(spans: readonly Span[], span: Span, root: Span): boolean {
  for (let at: Span | undefined = span, steps = 0; at && steps < 20; steps += 1) {
    if (at.role === 'consumer' || at.role === 'producer') return false;
    if (at.id === root.id) return true;
    const parent: string | null = at.parent;
    at = spans.find((one) => one.id === parent);
  }
  return false;
}

/** How much of the span its children cover; they may overlap. */
function covered(span: Span, children: readonly Span[]): number {
  let until = span.startMs;
  let sum = 0;
  for (const child of [...children].sort((one, other) => one.startMs - other.startMs)) {
    const from = Math.max(until, child.startMs);
    const to = Math.min(span.startMs + span.ms, child.startMs + child.ms);
    if (to > from) {
      sum += to - from;
      until = to;
    }
  }
  return sum;
}
