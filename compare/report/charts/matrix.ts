// The blast radius: for every module that fails, which routes suffer, A and B in one cell. Also the darkest cell has
// its number in it. One table a kind of fault.

import type { Fault, Report, Side } from '../../format/report.ts';
import { html, type Markup } from '../elements/markup.ts';
import { percent, seconds } from '../elements/numbers.ts';
import { FAULTS, faultedModules, faultOn, NAME, SIDES } from '../elements/words.ts';

export function blastRadius(report: Report): Markup[] {
  return faultedModules(report).map(
    ([kind, modules]) =>
      html`<div class="wide" tabindex="0" role="region" aria-label="Blast radius, ${FAULTS[kind]}"><table class="matrix"><caption>A module is ${FAULTS[kind]}: share of requests that fail, and below it of those that are slow</caption>
<thead><tr><th scope="col">module</th><th scope="col">side</th>${report.work.kinds.map((one) => html`<th scope="col">${one.label}</th>`)}<th scope="col">all</th><th scope="col">well again after</th></tr></thead>
<tbody>${linesOf(report, kind, modules).map((line) => row(report, line))}</tbody></table></div>`,
  );
}

interface Line {
  readonly side: Side;
  readonly modules: readonly string[];
  readonly label: string;
  readonly fault: Fault | undefined;
}

/** A process that is several modules is one line, and comes first; the others follow, A and B of a module together. */
function linesOf(report: Report, kind: Fault['fault'], modules: readonly string[]): Line[] {
  const lines: { side: Side; fault: Fault | undefined; modules: string[] }[] = [];
  for (const module of modules)
    for (const side of SIDES) {
      const fault = faultOn(report, side, kind, module);
      const known = fault && lines.find((line) => line.fault === fault);
      if (known) known.modules.push(module);
      else lines.push({ side, fault, modules: [module] });
    }
  const shared = ({ modules: all }: { modules: string[] }) => all.length > 1;
  return [...lines.filter(shared), ...lines.filter((line) => !shared(line))].map((line) => ({
    ...line,
    label: shared(line) && line.modules.length === modules.length ? 'any of them' : line.modules.join(', '),
  }));
}

function row({ work }: Report, { side, label, fault }: Line): Markup {
  const head = html`<th scope="row">${label}</th><td><b class="side ${side}">${NAME[side]}</b></td>`;
  if (!fault)
    return html`<tr>${head}<td colspan="${work.kinds.length + 2}" class="absent">not measured</td></tr>`;
  return html`<tr>${head}${work.kinds.map(({ kind: route }) => {
    const found = fault.cells.find((one) => one.kind === route);
    return found && found.requests > 0
      ? share(found.failedShare, found.slowedShare)
      : html`<td class="absent">n/a</td>`;
  })}${share(fault.failedShare, fault.slowedShare)}<td>${fault.recoverySeconds === null ? 'not while watched' : seconds(fault.recoverySeconds)} <small>${fault.process}</small></td></tr>`;
}

/** A few in a hundred shall be seen: the root, not the share. */
const shade = (part: number) => `${Math.round(Math.sqrt(part) * 100)}%`;

function share(failed: number, slowed: number): Markup {
  return html`<td class="share" style="--share:${shade(failed)};--slow:${shade(slowed)}">${percent(failed)}${slowed > 0 && html`<small>slow ${percent(slowed)}</small>`}</td>`;
}
