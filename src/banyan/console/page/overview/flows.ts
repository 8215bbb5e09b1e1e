// What runs between modules, as tables: calls along refs, and events from who publishes to who listens. The drawing's numbers,
// for who reads or hears them.
import type { Numbers, Picture, PictureArrow } from '../../shared/picture-shape.ts';
import { html } from '../kit/html.ts';
import { Table } from '../kit/table.ts';
import { answeredBy, errors, ms, rate } from '../kit/words.ts';

interface Call {
  readonly from: string;
  readonly to: string;
  readonly side: string;
  readonly numbers: Numbers | undefined;
}

type Arrow = PictureArrow & { readonly from: string; readonly to: string };

export function Flows({ picture }: { picture: Picture }) {
  const calls = Object.entries(picture.refs).flatMap(([key, sides]): Call[] => {
    const [caller = '', to = ''] = key.split('>');
    const from = caller === '' ? 'clients' : caller;
    const asked = Object.entries(sides);
    if (asked.length === 0) return caller === '' ? [] : [{ from, to, side: '', numbers: undefined }];
    return asked.map(([side, numbers]) => ({ from, to, side, numbers }));
  });
  const arrows = Object.entries(picture.arrows).map(([key, arrow]): Arrow => {
    const [from = '', to = ''] = key.split('>');
    return { ...arrow, from, to };
  });
  return html`<div class="split flows"><section><h2>Calls</h2><${Table} caption="Calls" rows=${calls} keyOf=${({ from, to, side }: Call) => `${from} ${to} ${side}`} columns=${[
    { title: 'From, to', head: true, cell: ({ from, to }: Call) => `${from} → ${to}` },
    { title: 'Answered by', cell: ({ to, side }: Call) => answeredBy(to, side) },
    {
      title: 'Calls/s',
      number: true,
      cell: ({ numbers }: Call) => (numbers ? rate(numbers.perSecond) : '0'),
    },
    { title: 'p50 ms', number: true, cell: ({ numbers }: Call) => ms(numbers?.p50) },
    { title: 'p99 ms', number: true, cell: ({ numbers }: Call) => ms(numbers?.p99) },
    { title: 'Errors', number: true, cell: ({ numbers }: Call) => (numbers ? errors(numbers.errors) : '–') },
  ]} /></section>
  ${
    arrows.length === 0
      ? null
      : html`<section><h2>Events</h2><${Table} caption="Events" rows=${arrows} keyOf=${({ from, to }: Arrow) => `${from} ${to}`} columns=${[
          { title: 'From, to', head: true, cell: ({ from, to }: Arrow) => `${from} ⇢ ${to}` },
          { title: 'Published/s', number: true, cell: ({ perSecond }: Arrow) => rate(perSecond) },
          { title: 'Behind', number: true, cell: ({ events }: Arrow) => events },
          {
            title: 'Lag s',
            number: true,
            cell: ({ events, seconds }: Arrow) => (events === 0 ? '0' : (seconds ?? '–')),
          },
        ]} /></section>`
  }</div>`;
}
