// Every number of the report, in tables: what the charts draw, and what they have no room for.

import type { Report } from '../format/report.ts';
import { html, type Markup, type Part } from './elements/markup.ts';
import {
  bytes,
  count,
  digits,
  inUnit,
  ms,
  NOT_AVAILABLE,
  off,
  percent,
  perSecond,
  plain,
  range,
  ratio,
  seconds,
} from './elements/numbers.ts';
import { FAULTS, NAME, SIDES, verdict } from './elements/words.ts';

/** A column is a name, and whether it holds words (left) or numbers (right). */
type Column = string | { readonly words: string };

export function table(title: string, columns: readonly Column[], rows: readonly (readonly Part[])[]): Markup {
  const left = columns.map((column, index) => index === 0 || typeof column !== 'string');
  return html`<div class="wide" tabindex="0" role="region" aria-label="${title}"><table><caption>${title}</caption>
<thead><tr>${columns.map((column, index) => html`<th scope="col"${left[index] && html` class="words"`}>${typeof column === 'string' ? column : column.words}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((part, index) => (index === 0 ? html`<th scope="row">${part}</th>` : html`<td${left[index] && html` class="words"`}>${part}</td>`))}</tr>`)}</tbody></table></div>`;
}

const bothSides = <T>(make: (side: 'a' | 'b') => readonly T[]): T[] => SIDES.flatMap(make);

export function everyNumber(report: Report): Markup[] {
  return [
    figures(report),
    latencies(report),
    processes(report),
    sums(report),
    ...capacity(report),
    ...isolation(report),
    ...scaling(report),
    rounds(report),
  ];
}

function figures({ figures: all }: Report): Markup {
  return table(
    'Figures: medians over the rounds, and B against A by pairs of rounds',
    [
      'figure',
      'A',
      'B',
      'B / A',
      'interval',
      'level',
      'covers',
      'pairs',
      'B - A',
      'interval',
      'p',
      'p (Holm)',
      { words: 'says' },
    ],
    all.map((one) => [
      html`${one.title}${!one.primary && html` <small>exploratory</small>`}`,
      inUnit(one.a, one.unit),
      inUnit(one.b, one.unit),
      ratio(one.ratio),
      range(one.ratio),
      percent(one.ratio?.level),
      percent(one.ratio?.coverage),
      count(one.ratio?.pairs),
      inUnit(one.difference?.median, one.unit),
      range(one.difference, (value) => inUnit(value, one.unit)),
      plain(one.p),
      plain(one.pHolm),
      verdict(one),
    ]),
  );
}

function latencies({ measured }: Report): Markup {
  return table(
    'Latency, all rounds that count together; n/a where a quantile has not 20 requests beyond it',
    ['requests', 'side', 'requests', 'failed', 'p50', 'p90', 'p99', 'p99.9', 'highest'],
    bothSides((side) =>
      measured[side].latency.map((one) => [
        one.kind,
        NAME[side],
        count(one.samples),
        count(one.failures),
        ms(one.p50Ms),
        ms(one.p90Ms),
        ms(one.p99Ms),
        ms(one.p999Ms),
        ms(one.maxMs),
      ]),
    ),
  );
}

function processes({ measured }: Report): Markup {
  return table(
    'Processes: CPU seconds a 1,000 requests, highest memory',
    ['process', 'side', { words: 'role' }, 'CPU', 'memory', { words: 'modules' }],
    bothSides((side) =>
      measured[side].processes.map((one) => [
        one.name,
        NAME[side],
        one.role,
        seconds(one.cpuSecondsPer1000),
        bytes(one.peakMemoryBytes),
        one.modules.join(', '),
      ]),
    ),
  );
}

function sums({ measured }: Report): Markup {
  const row = (name: string, of: (one: Report['measured']['a']) => string) => [
    name,
    of(measured.a),
    of(measured.b),
  ];
  return table(
    'In all',
    ['', 'A', 'B'],
    [
      row('requests', (one) => count(one.requests)),
      row('of them failed', (one) => count(one.failures)),
      row('CPU a 1,000 requests, without the generator', (one) => seconds(one.cpuSecondsPer1000)),
      row('highest memory', (one) => bytes(one.peakMemoryBytes)),
      row('CPU a minute while nobody asks', (one) => seconds(one.idleCpuSecondsPerMinute)),
      row('calls between processes a request', (one) => plain(one.wire.callsPerRequest)),
      row('bytes between processes a request', (one) => bytes(one.wire.bytesPerRequest)),
      row('events seen', (one) => count(one.events.samples)),
      row('commit to effect, p50', (one) => ms(one.events.p50Ms)),
      row('commit to effect, p99', (one) => ms(one.events.p99Ms)),
      row('commit to effect, highest', (one) => ms(one.events.maxMs)),
      row('events that waited at most', (one) => count(one.events.highestLag)),
    ],
  );
}

export function events({ measured }: Report): Markup {
  return table(
    'Events, commit to effect',
    ['event', { words: 'consumer' }, 'side', 'samples', 'p50', 'p99'],
    bothSides((side) =>
      measured[side].events.paths.map((one) => [
        one.event,
        one.consumer,
        NAME[side],
        count(one.samples),
        ms(one.p50Ms),
        ms(one.p99Ms),
      ]),
    ),
  );
}

function capacity({ capacity: found }: Report): Markup[] {
  if (!found) return [];
  return [
    table(
      `Capacity: steps of ${digits(found.stepSeconds)} s, bound p99 ${ms(found.p99BoundMs)}`,
      [
        'search',
        'side',
        'found',
        'rate',
        'achieved',
        'p99',
        'failed',
        { words: 'within the bound' },
        { words: 'generator' },
      ],
      found.searches.flatMap((search) =>
        search.steps.map((step, index) => [
          index === 0 ? search.pair + 1 : '',
          NAME[search.side],
          index === 0 ? `${search.atLeast ? 'at least ' : ''}${perSecond(search.perSecond)}` : '',
          perSecond(step.perSecond),
          perSecond(step.achievedPerSecond),
          ms(step.p99Ms),
          count(step.failures),
          step.ok ? 'yes' : 'no',
          step.generatorWasTheLimit ? 'was the limit' : '',
        ]),
      ),
    ),
  ];
}

function isolation(report: Report): Markup[] {
  if (!report.isolation) return [];
  return [
    table(
      `Faults, at ${perSecond(report.isolation.perSecond)}`,
      [
        'module',
        { words: 'fault' },
        'side',
        { words: 'process' },
        { words: 'route' },
        'requests',
        'failed',
        '',
        'slow',
        '',
        'harmed for',
        'window',
        'well after',
      ],
      report.isolation.faults.flatMap((fault) =>
        [
          ...fault.cells,
          // The whole of the fault, after its routes; the report gives its shares alone.
          {
            kind: 'all',
            requests: fault.requests,
            failed: null,
            slowed: null,
            failedShare: fault.failedShare,
            slowedShare: fault.slowedShare,
            harmedSeconds: null,
          },
        ].map((cell) => [
          fault.module,
          FAULTS[fault.fault],
          NAME[fault.side],
          fault.process,
          cell.kind,
          count(cell.requests),
          cell.failed === null ? '' : count(cell.failed),
          percent(cell.failedShare),
          cell.slowed === null ? '' : count(cell.slowed),
          percent(cell.slowedShare),
          cell.harmedSeconds === null ? '' : seconds(cell.harmedSeconds),
          seconds(fault.windowSeconds),
          fault.recoverySeconds === null ? 'not while watched' : seconds(fault.recoverySeconds),
        ]),
      ),
    ),
  ];
}

export function flips({ flips: all }: Report): Markup[] {
  if (!all) return [];
  return [
    table(
      'Modules moved under load',
      ['module', { words: 'to' }, 'requests', 'failed', 'took', 'p99 before', 'p99 meanwhile', 'more'],
      all.map((one) => [
        one.module,
        one.to,
        count(one.requests),
        count(one.failures),
        seconds(one.seconds),
        ms(one.p99BeforeMs),
        ms(one.p99DuringMs),
        ms(one.addedP99Ms),
      ]),
    ),
  ];
}

function scaling({ scaling: scaled, model }: Report): Markup[] {
  return [
    ...(scaled
      ? [
          table(
            `${scaled.module} in more processes`,
            ['processes', 'capacity', 'the model says', 'CPU a 1,000 requests'],
            scaled.measured.map((one) => [
              one.instances,
              perSecond(one.perSecond),
              perSecond(one.predictedPerSecond),
              seconds(one.cpuSecondsPer1000),
            ]),
          ),
        ]
      : []),
    ...(model
      ? [
          table(
            'Service demand: CPU a request',
            ['process', 'side', { words: 'role' }, 'demand'],
            model.demands.map((one) => [one.process, NAME[one.side], one.role, ms(one.demandMs)]),
          ),
          table(
            'Predicted capacity',
            ['cores', 'side', 'capacity', { words: 'limited by' }],
            model.predictions.map((one) => [
              one.cores,
              NAME[one.side],
              perSecond(one.perSecond),
              one.bottleneck,
            ]),
          ),
          table(
            'The model against what was measured here',
            ['figure', 'side', 'predicted', 'measured', 'off by'],
            model.checks.map((one) => [
              one.what,
              NAME[one.side],
              inUnit(one.predicted, one.unit),
              inUnit(one.measured, one.unit),
              off(one.error),
            ]),
          ),
        ]
      : []),
  ];
}

export function change({ change: both }: Report): Markup[] {
  if (!both) return [];
  return [
    table(
      'Change',
      ['what', 'side', 'figure'],
      bothSides((side) => {
        const { startMs, killToReadyMs, flipMs, deploy } = both[side];
        return [
          ['start to ready', NAME[side], ms(startMs)],
          ...killToReadyMs.map((one) => [`${one.process} killed to ready`, NAME[side], ms(one.ms)]),
          ...flipMs.map((one) => [`${one.module} to ${one.to}`, NAME[side], ms(one.ms)]),
          ...deploy.map((one) => [`size of ${one.name}`, NAME[side], bytes(one.bytes)]),
        ];
      }),
    ),
  ];
}

function rounds({ rounds: all }: Report): Markup {
  return table(
    'Rounds, in their order',
    [
      'round',
      'pair',
      'side',
      'began',
      'lasted',
      'offered',
      'achieved',
      'requests',
      'failed',
      'p50',
      'p99',
      'CPU a 1,000',
      'memory',
      'generator',
      'late p99',
      'others’ CPU',
      { words: 'counts' },
    ],
    all.map((one) => [
      one.index + 1,
      one.pair + 1,
      NAME[one.side],
      one.startedAt.slice(11, 19) || NOT_AVAILABLE,
      seconds(one.seconds),
      perSecond(one.offeredPerSecond),
      perSecond(one.achievedPerSecond),
      count(one.requests),
      count(one.failures),
      ms(one.p50Ms),
      ms(one.p99Ms),
      seconds(one.cpuSecondsPer1000),
      bytes(one.memoryBytes),
      `${percent(one.generator.cpuShare)}${one.generator.wasTheLimit ? ', the limit' : ''}`,
      ms(one.generator.lateP99Ms),
      percent(one.foreignCpuShare),
      one.counted ? 'yes' : `no: ${one.thrownAway ?? 'not said'}`,
    ]),
  );
}
