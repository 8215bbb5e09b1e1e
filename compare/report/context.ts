// What stands around the charts: the finding with what speaks for either side, in the same size, and at the end
// everything that somebody needs who doubts the numbers or wants to repeat them.
import type { Report, Side } from '../format/report.ts';
import { html, type Markup } from './elements/markup.ts';
import { bytes, count, percent, perSecond, seconds } from './elements/numbers.ts';
import { howMeasured, NAME, SIDES } from './elements/words.ts';

const processes = (count: number) => (count === 1 ? 'one process' : `${count} processes`);

export function head(report: Report): Markup {
  const { finding, rough, self, shapes, against } = report;
  return html`<header><p>${rough && html`<span class="badge">rough</span>`}${self && html`<span class="badge">A against A</span>`}<b>Banyan compare</b> ${SIDES.map((side) => html`<span><b class="side ${side}">${NAME[side]}</b> ${shapes[side].label} </span>`)}<small>${howMeasured(report)}</small></p>
<h1>${finding}</h1>
${rough && html`<p>Made with --quick: good for a look, not for a decision.</p>`}
<div class="pair">${SIDES.toReversed().map((side) => oneCase(side, shapes[side].label, against[side]))}</div>
${against.neither.length > 0 && html`<p class="note"><b>No difference found:</b> ${against.neither.map((one) => one.replace(/: no difference found$/, '')).join('; ')}.</p>`}</header>`;
}

function oneCase(side: Side, label: string, points: readonly string[]): Markup {
  return html`<section class="case ${side}"><h2>Against <b class="side ${side}">${NAME[side]}</b> ${label}</h2>${
    points.length > 0
      ? html`<ul>${points.map((point) => html`<li>${point}</li>`)}</ul>`
      : html`<p class="absent">Nothing was found.</p>`
  }</section>`;
}

export function howItWasMeasured(report: Report): Markup {
  const { machine, settings, work, versions, commit, answers } = report;
  const rows: [string, string | Markup][] = [
    ['command', html`<code>${report.command}</code>`],
    ['began, took', `${report.startedAt}, ${seconds(report.seconds)}`],
    [
      'commit',
      commit.hash === null
        ? 'unknown'
        : `${commit.hash}${commit.changed ? ', with changes that are not committed' : ''}`,
    ],
    [
      'versions',
      `Banyan ${versions.banyan}, Node ${versions.node}, PostgreSQL ${versions.postgres}${versions.broker === null ? '' : `, ${versions.broker}`}`,
    ],
    [
      'machine',
      `${machine.cores} x ${machine.cpu}, ${bytes(machine.memoryBytes)}, ${machine.system}; load ${machine.load1} before; ${machine.pinning}`,
    ],
    [
      'load',
      `open loop at ${perSecond(settings.perSecond)} (${settings.rateFrom}), ${settings.connections} connections; latency counts from when a request should have left`,
    ],
    [
      'rounds',
      `${settings.pairs} pairs in the order A B B A, ${settings.roundSeconds} s each after ${settings.warmUpSeconds} s of warm-up; log: ${settings.log}; pools of ${settings.poolSize}`,
    ],
    [
      'work',
      `${work.name}${work.file === null ? '' : ` (${work.file})`}: ${work.kinds.map((kind) => `${percent(kind.share)} ${kind.label} (${kind.route})`).join(', ')}; ${work.skew}`,
    ],
    ['requests', `${count(work.requests)} recorded, seed ${work.seed}, SHA-256 ${work.hash}`],
    [
      'answers',
      `${count(answers.compared)} compared in full, ${count(answers.different)} different; ${count(answers.statusesCompared)} by status, ${count(answers.statusesDifferent)} different`,
    ],
    ...answers.examples.map(({ request, a, b }): [string, string] => [
      'differed',
      `${request}: A ${a}; B ${b}`,
    ]),
    ...SIDES.map((side): [string, string] => [
      `shape ${NAME[side]}`,
      `${report.shapes[side].text}: ${processes(report.shapes[side].processes)}`,
    ]),
    ...SIDES.flatMap((side) =>
      report.measured[side].failureExamples.map((text): [string, string] => [
        `failed on ${NAME[side]}`,
        text,
      ]),
    ),
    ...report.thrownAway.map(({ what, why }): [string, string] => ['thrown away', `${what}: ${why}`]),
    ...report.notes.map((text): [string, string] => ['note', text]),
  ];
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>${
    report.thrownAway.length === 0 && html`<p class="note">Nothing was thrown away.</p>`
  }`;
}
