// Who says which step of a saga comes next: a coordinator (orchestration), or the modules themselves, each by the
// events of another (choreography). The style of sagas that begin from now on is one row, which the transaction that
// begins one reads. So it is in force in every host at the moment in which the change commits; nothing is kept in memory.
import type { Sql } from '../store/store.ts';

export type Style = 'choreography' | 'orchestration';

export interface StyleInForce {
  readonly style: Style;
  readonly changedAt: string;
  readonly changedBy: string;
}

/** Of the saga that an event is about. Events from before there were two styles do not name theirs. */
export const styleOf = ({ saga }: { readonly saga?: string }): Style =>
  saga === 'orchestration' ? 'orchestration' : 'choreography';

/** Of a saga by whether a coordinator drives it. */
export const styleWhen = (driven: boolean): Style => (driven ? 'orchestration' : 'choreography');

const STYLE_TABLE = 'saga_style';

const STYLE_COLUMNS = 'style, changed_at, changed_by';

export async function styleInForce(sql: Sql): Promise<StyleInForce> {
  const { rows } = await sql.query(`SELECT ${STYLE_COLUMNS} FROM ${STYLE_TABLE}`);
  return inForce(rows[0]!);
}

/** Of the sagas that this transaction begins. */
export async function styleIn(sql: Sql): Promise<Style> {
  const { rows } = await sql.query<{ style: Style }>(`SELECT style FROM ${STYLE_TABLE}`);
  return rows[0]!.style;
}

/** With what the audit says of it, in one statement. */
export async function setStyle(sql: Sql, style: Style, changedBy: string): Promise<StyleInForce> {
  const { rows } = await sql.query(
    `WITH noted AS (INSERT INTO saga_act (by, what) VALUES ($2, 'chose ' || $1 || ' for sagas that begin'))
     UPDATE ${STYLE_TABLE} SET style = $1, changed_at = now(), changed_by = $2 RETURNING ${STYLE_COLUMNS}`,
    [style, changedBy],
  );
  return inForce(rows[0]!);
}

function inForce(found: Record<string, unknown>): StyleInForce {
  const { style, changed_at: at, changed_by: changedBy } = found;
  return { style, changedAt: (at as Date).toISOString(), changedBy } as StyleInForce;
}
