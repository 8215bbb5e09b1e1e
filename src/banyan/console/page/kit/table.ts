// A table of rows: a caption for who hears the page, columns that say how they align, and on a phone a list of what each row
// has. The words are the page's.
import { html } from './html.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => unknown;
  /** Numbers stand under each other. */
  readonly number?: boolean;
  /** The column that names the row. */
  readonly head?: boolean;
}

export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  hideCaption = true,
  stack = true,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  hideCaption?: boolean;
  /** On a phone each row is a block; false: the table scrolls sideways. */
  stack?: boolean;
}) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table class=${stack ? 'stack' : ''}>
    <caption class=${hideCaption ? 'heard' : ''}>${caption}</caption>
    <thead><tr>${columns.map(({ title, number }) => html`<th scope="col" class=${number ? 'number' : ''}>${title}</th>`)}</tr></thead>
    <tbody>${rows.map(
      (row) =>
        html`<tr key=${keyOf(row)}>${columns.map(({ title, cell, number, head }) =>
          head
            ? html`<th scope="row" data-title=${title}>${cell(row)}</th>`
            : html`<td class=${number ? 'number' : ''} data-title=${title}>${cell(row)}</td>`,
        )}</tr>`,
    )}</tbody>
  </table></div>`;
}
