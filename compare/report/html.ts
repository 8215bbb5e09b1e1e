// report.html: the report as one file that fetches nothing, for a screen, a phone and paper. What the report does not
// have is said to be not measured. The report itself lies in the page as data, so that the page alone is enough.
import type { Report } from '../format/report.ts';
import { costBars } from './charts/bars.ts';
import { capacityCharts } from './charts/capacity.ts';
import { forest } from './charts/forest.ts';
import { blastRadius } from './charts/matrix.ts';
import { percentileCharts } from './charts/percentiles.ts';
import { coresChart, instancesChart } from './charts/scaling.ts';
import { timelineChart } from './charts/timeline.ts';
import { topologyPicture } from './charts/topology.ts';
import { waterfalls } from './charts/waterfall.ts';
import { head, howItWasMeasured } from './context.ts';
import { embedded, html, Markup, type Part } from './elements/markup.ts';
import { bytes, ms, seconds } from './elements/numbers.ts';
import { style } from './elements/style.ts';
import { absent, faultedModules, SIDES } from './elements/words.ts';
import { change, events, everyNumber, flips } from './tables.ts';

type Section = readonly [id: string, title: string, body: Part];

export function htmlReport(report: Report): string {
  const sections = sectionsOf(report);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${report.finding}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main>${head(report)}
<nav aria-label="Parts of the report">${sections.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
${sections.map(([id, title, body]) => html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${body}</section>`)}
</main><script type="application/json" id="report">${embedded(report)}</script></body></html>
`;
  return page.text;
}

const STYLE = new Markup(style);
/** More charts of faults than these are folded away. */
const FEW = 6;

function sectionsOf(report: Report): Section[] {
  const { measured, capacity, scaling, model, traces } = report;
  return [
    [
      'figures',
      'What differs',
      [
        html`<p class="note">Ratios by pair of rounds, the median with its interval. The four figures in bold were chosen before and are corrected for being four (Holm); all others are exploratory: a hint, not a proof.</p>`,
        forest(report.figures),
      ],
    ],
    [
      'shapes',
      'The two shapes',
      html`<div class="pair">${SIDES.map((side) => topologyPicture(report, side))}</div>`,
    ],
    [
      'request',
      'Where the time of one request goes',
      traces ? waterfalls(report) : note(absent(report, 'traces')),
    ],
    ['latency', 'Latency', html`<div class="charts">${percentileCharts(report)}</div>`],
    [
      'capacity',
      'Capacity',
      capacity
        ? html`<p class="note">The highest rate at which p99 stays under ${ms(capacity.p99BoundMs)} and nothing fails.</p><div class="charts">${capacityCharts(report, capacity)}</div>`
        : note(absent(report, 'capacity')),
    ],
    [
      'cost',
      'Cost',
      html`<div class="pair">${costBars(report, {
        title: 'CPU seconds a 1,000 requests',
        of: (one) => one.cpuSecondsPer1000,
        write: seconds,
        total: (side) => measured[side].cpuSecondsPer1000,
      })}${costBars(report, {
        title: 'Highest memory',
        of: (one) => one.peakMemoryBytes,
        write: bytes,
        total: (side) => measured[side].peakMemoryBytes,
      })}</div>`,
    ],
    ['events', 'Events', events(report)],
    ['isolation', 'When a module fails', isolation(report)],
    [
      'scaling',
      'Scaling',
      [
        html`<div class="charts">${scaling ? instancesChart(scaling) : note(absent(report, 'scaling'))}${model ? coresChart(report, model) : note(`The model: ${absent(report, 'model')}`)}</div>`,
        notes([...(scaling?.notes ?? []), ...(model?.notes ?? [])]),
      ],
    ],
    [
      'change',
      'Change',
      report.change || report.flips ? [flips(report), change(report)] : note(absent(report, 'change')),
    ],
    ['numbers', 'Every number', everyNumber(report)],
    ['how', 'How it was measured', howItWasMeasured(report)],
  ];
}

function isolation(report: Report): Part {
  if (!report.isolation) return note(absent(report, 'isolation'));
  const charts = faultedModules(report).flatMap(([kind, modules]) =>
    modules.map((module) => timelineChart(report, kind, module)),
  );
  return [
    blastRadius(report),
    html`<details${charts.length <= FEW && html` open`}><summary>As it went, second by second: ${charts.length} charts</summary><div class="charts">${charts}</div></details>`,
    notes(report.isolation.notes),
  ];
}

const note = (text: string) => html`<p class="absent">${text}</p>`;
const notes = (lines: readonly string[]) => lines.map((line) => html`<p class="note">${line}</p>`);
