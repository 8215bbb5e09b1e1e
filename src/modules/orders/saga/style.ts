// The style of orders placed from now on: one row, which the statement that inserts an order reads. So it is in
// force in every host at the moment in which the change commits; nothing is kept in memory.
import type { Sql } from '../../../kernel/store/store.ts';
import type { SagaInForce, SagaStyle } from '../contract.ts';

const row = 'style, changed_at, changed_by';

export async function styleInForce(sql: Sql): Promise<SagaInForce> {
  const { rows } = await sql.query(`SELECT ${row} FROM saga_style`);
  return inForce(rows[0]!);
}

export async function setStyle(sql: Sql, style: SagaStyle, changedBy: string): Promise<SagaInForce> {
  const { rows } = await sql.query(
    `UPDATE saga_style SET style = $1, changed_at = now(), changed_by = $2 RETURNING ${row}`,
    [style, changedBy],
  );
  return inForce(rows[0]!);
}

function inForce(found: Record<string, unknown>): SagaInForce {
  const { style, changed_at: at, changed_by: changedBy } = found;
  return { style, changedAt: (at as Date).toISOString(), changedBy } as SagaInForce;
}
