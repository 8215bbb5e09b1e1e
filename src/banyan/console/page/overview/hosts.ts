// Every process in a row: what it runs, whether it answers, what it takes. One that is silent stands with the age of its numbers.
import type { Picture, PictureHost } from '../../shared/picture-shape.ts';
import { Badge } from '../kit/badge.ts';
import { html } from '../kit/html.ts';
import { Table } from '../kit/table.ts';
import { lasting } from '../kit/time.ts';
import { cores, megabytes } from '../kit/words.ts';

type Row = readonly [host: string, one: PictureHost];

export function HostTable({ picture }: { picture: Picture }) {
  const rows = Object.entries(picture.hosts).sort(([, a], [, b]) =>
    a.id < b.id ? -1 : a.id > b.id ? 1 : a.pid - b.pid,
  );
  return html`<${Table} caption="Processes" rows=${rows} keyOf=${([host]: Row) => host} columns=${[
    { title: 'Process', head: true, cell: ([, one]: Row) => one.id },
    { title: 'pid', number: true, cell: ([, one]: Row) => one.pid },
    { title: 'State', cell: ([, one]: Row) => html`<${State} one=${one} />` },
    { title: 'Requests now', number: true, cell: ([, one]: Row) => requestsNow(one) },
    { title: 'CPU', number: true, cell: ([, { cpu }]: Row) => (cpu === undefined ? '–' : cores(cpu)) },
    {
      title: 'Memory',
      number: true,
      cell: ([, { memoryBytes }]: Row) => (memoryBytes === undefined ? '–' : megabytes(memoryBytes)),
    },
    {
      title: 'Placements it goes by',
      cell: ([, { version }]: Row) =>
        version === picture.version
          ? 'the newest'
          : `older ones: change ${version}, the newest is ${picture.version}`,
    },
  ]} />`;
}

/** What it does itself, and what it has asked of service processes. */
function requestsNow({ busy, inflight }: PictureHost): string {
  if (busy + inflight === 0) return 'none';
  const waits = inflight > 0 ? `waits for ${inflight} at services` : undefined;
  return [busy > 0 ? `serves ${busy}` : undefined, waits].filter(Boolean).join(', ');
}

function State({ one }: { one: PictureHost }) {
  const { live, ready, draining, silent, numbersAge } = one;
  const tone = !live || silent !== undefined ? 'bad' : draining ? 'warn' : ready ? 'good' : 'busy';
  const word = live ? (draining ? 'draining' : ready ? 'ready' : 'not ready') : 'not heard of';
  const age = numbersAge === undefined ? 'it gave none yet' : `numbers are ${lasting(numbersAge)} old`;
  return html`<div><${Badge} tone=${tone}>${word}<//>${silent === undefined ? null : html`<div class="quiet">${silent}; ${age}</div>`}</div>`;
}
