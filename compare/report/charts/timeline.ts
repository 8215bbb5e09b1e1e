// One fault as it went: which share of requests failed or was slow, second by second, on either side.

import type { Fault, Report } from '../../format/report.ts';
import type { Markup } from '../elements/markup.ts';
import { percent, seconds } from '../elements/numbers.ts';
import { linear } from '../elements/scale.ts';
import { FAULTS, faultOn, NAME, SIDES } from '../elements/words.ts';
import { plot } from './plot.ts';

export function timelineChart(report: Report, kind: Fault['fault'], module: string): Markup | undefined {
  const found = SIDES.map((side) => faultOn(report, side, kind, module));
  const moments = found.flatMap((fault) => fault?.timeline ?? []);
  if (moments.length === 0) return undefined;
  return plot({
    id: `timeline-${kind}-${module}`,
    title: `${module}, ${FAULTS[kind]}`,
    height: 150,
    description: SIDES.map((side, index) => inWords(NAME[side], found[index])).join(' '),
    x: {
      name: 'seconds since the fault',
      scale: (from, to) =>
        linear(
          Math.max(...moments.map((one) => one.atSeconds)),
          [from, to],
          5,
          Math.min(0, ...moments.map((one) => one.atSeconds)),
        ),
      write: (tick) => String(Math.round(tick * 10) / 10),
    },
    y: {
      name: 'failed or slow',
      scale: (from, to) => linear(1, [from, to], 2),
      write: (tick) => `${Math.round(tick * 100)} %`,
    },
    series: SIDES.map((side, index) => ({
      name: `${NAME[side]}${found[index] ? `: ${found[index].process} hit` : ': not measured'}`,
      look: side,
      dashed: side === 'b',
      points: (found[index]?.timeline ?? [])
        .filter(({ requests }) => requests > 0)
        .map((one) => ({ x: one.atSeconds, y: Math.min(1, (one.failed + one.slowed) / one.requests) })),
    })),
  });
}

function inWords(name: string, fault: Fault | undefined): string {
  if (!fault) return `${name}: not measured.`;
  const recovered =
    fault.recoverySeconds === null
      ? 'not recovered while watched'
      : `recovered after ${seconds(fault.recoverySeconds)}`;
  return `${name}: ${percent(fault.failedShare)} failed and ${percent(fault.slowedShare)} was slow, ${recovered}.`;
}
