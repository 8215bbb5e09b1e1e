// How a module does: both sides beside each other, who asks it, and lines of the last minutes.
import type { Numbers as Counted, Picture, PictureModule } from '../../shared/picture-shape.ts';
import { ask } from '../kit/api.ts';
import { html, useEffect, useState } from '../kit/html.ts';
import { Table } from '../kit/table.ts';
import { answeredBy, errors, eventRates, eventWords, ms, rate } from '../kit/words.ts';

interface Row {
  readonly who: string;
  readonly side: string;
  readonly numbers: Counted;
}

export function Numbers({
  name,
  module,
  picture,
}: {
  name: string;
  module: PictureModule;
  picture: Picture;
}) {
  const rows: Row[] = [];
  for (const [side, numbers] of Object.entries(module.numbers)) rows.push({ who: 'all', side, numbers });
  for (const [key, sides] of Object.entries(picture.refs)) {
    const [caller, callee] = key.split('>');
    if (callee !== name) continue;
    for (const [side, numbers] of Object.entries(sides))
      rows.push({ who: caller === '' ? 'clients' : caller!, side, numbers });
  }
  const events = eventRates(picture, name);
  return html`<h2>The last 10 seconds</h2>
    ${
      rows.length === 0
        ? html`<p class="quiet">Nobody asked it.${events ? ` Of events it ${eventWords(events)}.` : ''}</p>`
        : html`<${Table} caption="The last 10 seconds" rows=${rows} keyOf=${({ who, side }: Row) => `${who} ${side}`} columns=${[
            { title: 'Asked by', head: true, cell: ({ who }: Row) => who },
            { title: 'Answered by', cell: ({ side }: Row) => answeredBy(name, side) },
            { title: 'Calls/s', number: true, cell: ({ numbers }: Row) => rate(numbers.perSecond) },
            { title: 'p50 ms', number: true, cell: ({ numbers }: Row) => ms(numbers.p50) },
            { title: 'p99 ms', number: true, cell: ({ numbers }: Row) => ms(numbers.p99) },
            { title: 'Errors', number: true, cell: ({ numbers }: Row) => errors(numbers.errors) },
          ]} />`
    }
    <${Lines} name=${name} at=${Math.floor(picture.at / 2_000)} />`;
}

type SeriesRow = { readonly at: number; readonly row: readonly (number | null)[] };

/** Asked again as the picture goes on. */
function Lines({ name, at }: { name: string; at: number }) {
  const [rows, setRows] = useState<readonly SeriesRow[]>([]);
  useEffect(() => {
    let gone = false;
    ask<{ rows: SeriesRow[] }>('GET', `/series/${encodeURIComponent(name)}`).then(
      (answer) => !gone && setRows(answer.rows),
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [name, at]);
  if (rows.length < 2) return null;
  const of = (...columns: readonly number[]) =>
    rows.map(({ row }) => columns.reduce((sum, column) => sum + (row[column] ?? 0), 0));
  return html`<div class="grid">
    <${Line} title="Calls a second" values=${of(0, 1)} unit="/s" />
    <${Line} title="p99" values=${of(3)} unit=" ms" />
    <${Line} title="Failed a second" values=${of(4)} unit="/s" />
  </div>`;
}

function Line({ title, values, unit }: { title: string; values: readonly number[]; unit: string }) {
  const shown = values.slice(-300);
  const most = Math.max(...shown, 0);
  const high = most === 0 ? 1 : most;
  const points = shown.map(
    (value, at) => `${((at / (shown.length - 1)) * 240).toFixed(1)},${(46 - (value / high) * 42).toFixed(1)}`,
  );
  const text = `${title}: now ${rate(shown.at(-1) ?? 0)}${unit}, at most ${rate(most)}${unit} in ${shown.length} s`;
  return html`<figure class="card spark"><figcaption>${title} <span class="quiet">now ${rate(shown.at(-1) ?? 0)}${unit}, at most ${rate(most)}${unit}</span></figcaption>
    <svg viewBox="0 0 240 50" preserveAspectRatio="none" role="img" aria-label=${text}><polyline points=${points.join(' ')} /></svg></figure>`;
}
