// Where the time of one request goes: its spans one under another, both sides on the same clock, and above them what
// each process took for itself and what was spent between processes. From the trace of one real request.

import type { Report, Span, Trace } from '../../format/report.ts';
import { html, type Markup } from '../elements/markup.ts';
import { ms, percent } from '../elements/numbers.ts';
import { NAME, SIDES } from '../elements/words.ts';

const ROOM = 1000;

export function waterfalls(report: Report): Markup[] {
  const { traces } = report;
  if (!traces) return [];
  const kinds = [...new Set([...traces.a, ...traces.b].map((trace) => trace.kind))];
  return kinds.map((kind) => {
    const pair = SIDES.map((side) => traces[side].find((trace) => trace.kind === kind));
    const waited = pair.map((trace) => trace?.spans.filter((span) => belongs(trace.spans, span)) ?? []);
    const after = pair.map((trace) => trace?.spans.filter((span) => !belongs(trace.spans, span)) ?? []);
    const label = report.work.kinds.find((one) => one.kind === kind)?.label ?? kind;
    const goesOn = html`<p class="note">What it set off, after the answer:</p>`;
    return html`<h3>${label}</h3><div class="pair">${SIDES.map((side, index) => {
      const trace = pair[index];
      const head = html`<h4><b class="side ${side}">${NAME[side]}</b> ${report.shapes[side].label}</h4>`;
      if (!trace) return html`<div>${head}<p class="absent">No trace of this kind.</p></div>`;
      return html`<div>${head}<p class="note">${ms(trace.ms)}, the median of ${trace.of} traced. ${shares(waited[index]!)}</p>
${rows(trace, waited[index]!, lastEnd(waited.flat()))}${after[index]!.length > 0 && [goesOn, rows(trace, after[index]!, lastEnd(after.flat()))]}</div>`;
    })}</div>`;
  });
}

const lastEnd = (spans: readonly Span[]) => Math.max(0.001, ...spans.map((span) => span.startMs + span.ms));

/** Both sides on one clock, from the start of the request to `longest`. */
function rows({ spans: all }: Trace, spans: readonly Span[], longest: number): Markup {
  const processes = [...new Set(all.map((span) => span.process))];
  return html`<ol class="spans">${spans.map((span) => {
    const look = `cut-${processes.indexOf(span.process) % 7}`;
    const left = (Math.max(0, span.startMs) / longest) * ROOM;
    const wide = Math.max(3, (span.ms / longest) * ROOM);
    return html`<li><span class="what" style="padding-left:${Math.min(6, depth(all, span)) * 0.8}em">${span.name} <small>${span.process}, ${span.role}, ${ms(span.ms)} from ${ms(span.startMs)}</small></span>
<svg class="stretch" viewBox="0 0 ${ROOM} 10" preserveAspectRatio="none" aria-hidden="true"><rect class="lane" width="${ROOM}" height="10"/><rect class="cut ${look}${span.role === 'client' ? ' wire' : ''}" x="${left.toFixed(1)}" width="${wide.toFixed(1)}" height="10"/></svg></li>`;
  })}</ol>`;
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

/**
 * `monolith 0.4 ms (20 %), between processes 0.6 ms (30 %)`: of every moment that the client waited, who had it. Where
 * spans lie over one another the innermost has it, once: calls side by side do not count double.
 */
function shares(spans: readonly Span[]): string {
  const root = spans[0];
  if (!root) return '';
  const inner = spans.map((span) => ({
    from: Math.max(span.startMs, root.startMs),
    to: Math.min(span.startMs + span.ms, root.startMs + root.ms),
    depth: depth(spans, span),
    where: placeOf(
      span,
      spans.filter((one) => one.parent === span.id),
    ),
  }));
  const moments = [...new Set(inner.flatMap(({ from, to }) => [from, to]))].sort((one, other) => one - other);
  const taken = new Map<string, number>();
  for (const [index, from] of moments.slice(0, -1).entries()) {
    const to = moments[index + 1]!;
    const active = inner.filter((one) => one.from <= from && one.to >= to);
    const owner = active.reduce((deepest, one) => (one.depth > deepest.depth ? one : deepest), active[0]!);
    if (owner) taken.set(owner.where, (taken.get(owner.where) ?? 0) + to - from);
  }
  return [...taken]
    .map(([where, own]) => `${where} ${ms(own)} (${percent(Math.round((own / root.ms) * 1e6) / 1e6)})`)
    .join(', ');
}

/** A caller's span beyond the work of the called process is the way there and back; a proxy has no span for it. */
function placeOf({ role, process }: Span, inside: readonly Span[]): string {
  const elsewhere = inside.some((one) => one.process !== process);
  if (!elsewhere) return process;
  return role === 'client' ? 'between processes' : `${process} and the way from there`;
}

/** Work that an event or a queue began is told, but is not time that the client waited. */
function belongs(spans: readonly Span[], span: Span): boolean {
  for (let at: Span | undefined = span, steps = 0; at && steps < 20; steps += 1) {
    if (at.role === 'consumer' || at.role === 'producer') return false;
    if (at.parent === null) return at === spans[0];
    const parent: string = at.parent;
    at = spans.find((one) => one.id === parent);
  }
  return false;
}
