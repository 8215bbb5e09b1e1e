// The blast radius: for every module that fails, which routes suffer, A and B in one cell. Also the darkest cell has
// its number in it. One table a kind of fault.

import type { Fault, Report, Side } from '../../report-shape.ts';
import { html, type Markup } from '../markup.ts';
import { percent, seconds } from '../numbers.ts';
import { FAULTS, faultedModules, faultOn, NAME, SIDES } from '../words.ts';

export function blastRadius(report: Report): Markup[] {
  return faultedModules(report).map(
    ([kind, modules]) =>
      html`<div class="wide" tabindex="0" role="region" aria-label="Blast radius, ${FAULTS[kind]}"><table class="matrix"><caption>A module is ${FAULTS[kind]}: share of requests that fail, and below it of those that are slow</caption>
<thead><tr><th scope="col">module</th><th scope="col"><span class="hidden">side</span></th>${report.work.kinds.map((one) => html`<th scope="col">${one.label}</th>`)}<th scope="col">all</th><th scope="col">well again after</th></tr></thead>
${modules.map((module) => html`<tbody>${SIDES.map((side, index) => row(report, side, kind, module, index === 0))}</tbody>`)}</table></div>`,
  );
}

function row(report: Report, side: Side, kind: Fault['fault'], module: string, first: boolean): Markup {
  const fault = faultOn(report, side, kind, module);
  const head = html`${first && html`<th scope="rowgroup" rowspan="2">${module}</th>`}<th scope="row"><b class="side ${side}">${NAME[side]}</b></th>`;
  if (!fault)
    return html`<tr>${head}<td colspan="${report.work.kinds.length + 2}" class="absent">not measured</td></tr>`;
  return html`<tr>${head}${report.work.kinds.map(({ kind: route }) => {
    const found = fault.cells.find((one) => one.kind === route);
    return found && found.requests > 0
      ? share(found.failedShare, found.slowedShare)
      : html`<td class="absent">n/a</td>`;
  })}${share(fault.failedShare, fault.slowedShare)}<td>${fault.recoverySeconds === null ? 'not while watched' : seconds(fault.recoverySeconds)} <small>${fault.process}${fault.sharedWith.length > 0 && ', shared'}</small></td></tr>`;
}

/** A few in a hundred shall be seen: the root, not the share. */
const shade = (part: number) => `${Math.round(Math.sqrt(part) * 100)}%`;

function share(failed: number, slowed: number): Markup {
  return html`<td class="share" style="--share:${shade(failed)};--slow:${shade(slowed)}">${percent(failed)}${slowed > 0 && html`<small>slow ${percent(slowed)}</small>`}</td>`;
}
