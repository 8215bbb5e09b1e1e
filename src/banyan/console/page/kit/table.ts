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
  /** Buttons alone: not on paper. */
  readonly acts?: boolean;
}

const looksOf = ({ number, acts }: Pick<Column<never>, 'number' | 'acts'>) =>
  number ? 'number' : acts ? 'acts' : '';

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
    <thead><tr>${columns.map((one) => html`<th scope="col" class=${looksOf(one)}>${one.title}</th>`)}</tr></thead>
    <tbody>${rows.map(
      (row) =>
        html`<tr key=${keyOf(row)}>${columns.map((one) =>
          one.head
            ? html`<th scope="row" data-title=${one.title}>${one.cell(row)}</th>`
            : html`<td class=${looksOf(one)} data-title=${one.title}>${one.cell(row)}</td>`,
        )}</tr>`,
    )}</tbody>
  </table></div>`;
}
