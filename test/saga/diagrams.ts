// The checkout's two diagrams for ARCHITECTURE.md, drawn from the code and not by hand. Orchestration: the table of
// steps itself. Choreography has no such table, so it is watched: orders of every kind go through a real shop, and
// what caused what is read from the events in its log.
import { until } from '../../src/banyan/events/testing/until.ts';
import type { Saga } from '../../src/banyan/saga/definition.ts';
import { checkout } from '../../src/modules/orders/saga/orchestration.ts';
import type { Stage } from '../saga-chaos/stage.ts';

export const names = ['choreography', 'orchestration'] as const;
export type DiagramName = (typeof names)[number];

/** The text between the two marks of a diagram in a document; undefined when it has none. */
export function committed(document: string, name: DiagramName): string | undefined {
  return partsOf(document, name)?.[1];
}

export function replaced(document: string, name: DiagramName, diagram: string): string {
  const parts = partsOf(document, name);
  if (!parts) throw new Error(`The document has no marks for the diagram ${name}`);
  return `${parts[0]}${diagram}${parts[2]}`;
}

function partsOf(document: string, name: DiagramName): [string, string, string] | undefined {
  const [begin, end] = [`<!-- diagram: ${name} -->\n`, `<!-- /diagram: ${name} -->`];
  const from = document.indexOf(begin) + begin.length;
  const to = document.indexOf(end);
  return to < from ? undefined : [document.slice(0, from), document.slice(from, to), document.slice(to)];
}

const fenced = (lines: readonly string[]) => ['```mermaid', ...lines, '```', ''].join('\n');

/** Read from the table: what is never asked needs no participants. */
export function orchestrationDiagram(): string {
  const saga: Saga<never> = checkout({} as Parameters<typeof checkout>[0]) as never;
  const { steps, otherwise } = saga;
  const pivot = steps.findIndex((step) => step.pivot);
  const [first] = otherwise;
  const lines = ['stateDiagram-v2', '  direction LR'];
  const id = (name: string, path = '') => `${path}${name.replaceAll('-', '_')}`;
  for (const { name, undo, pivot: isPivot } of steps) {
    lines.push(`  state "${name}${isPivot ? ' (the pivot)' : ''}" as ${id(name)}`);
    if (undo) lines.push(`  state "${undo.name}" as ${id(undo.name)}`);
  }
  for (const { name } of otherwise) lines.push(`  state "${name}" as ${id(name, 'otherwise_')}`);
  lines.push(`  [*] --> ${id(steps[0]!.name)}: placed`);
  for (const [index, { name, undo }] of steps.entries()) {
    const next = steps[index + 1];
    lines.push(`  ${id(name)} --> ${next ? id(next.name) : '[*]'}: done`);
    if (index > pivot) continue;
    const before = steps.slice(0, index).findLast((step) => step.undo)?.undo;
    const back = before ? id(before.name) : id(first!.name, 'otherwise_');
    lines.push(`  ${id(name)} --> ${back}: refused`);
    if (undo)
      lines.push(`  ${id(name)} --> ${id(undo.name)}: called off`, `  ${id(undo.name)} --> ${back}: undone`);
  }
  for (const [index, { name }] of otherwise.entries()) {
    const next = otherwise[index + 1];
    lines.push(`  ${id(name, 'otherwise_')} --> ${next ? id(next.name, 'otherwise_') : '[*]'}: done`);
  }
  return fenced(lines);
}

/** What caused what, `module.event` to `module.event`, each once. */
export type Cause = readonly [from: string, to: string];

export function choreographyDiagram(causes: readonly Cause[]): string {
  const events = [...new Set(causes.flat())].sort();
  const modules = Map.groupBy(events, (event) => event.split('.')[0]!);
  const id = (event: string) => event.replaceAll(/[.-]/g, '_');
  return fenced([
    'flowchart LR',
    ...[...modules].flatMap(([module, some]) => [
      `  subgraph ${module}`,
      ...some.map((event) => `    ${id(event)}["${event.split('.')[1]}"]`),
      '  end',
    ]),
    ...causes.map(([from, to]) => `  ${id(from)} --> ${id(to)}`),
  ]);
}

/** Sends orders of every kind through choreography and answers what caused what. On the Postgres log. */
export async function watchChoreography(stage: Stage): Promise<Cause[]> {
  await stage.admin('PUT', '/admin/saga', { style: 'choreography' });
  const token = await stage.customer();
  const product = await stage.product(10);
  const order = async (paymentToken: string, quantity = 1): Promise<string> => {
    const body = { lines: [{ productId: product, quantity }], paymentToken };
    const headers = { 'idempotency-key': `${paymentToken}-${quantity}` };
    return (await stage.call('POST', '/api/orders', { token, headers, body })).body.id;
  };
  const comesTrue = (sql: string, id: string) =>
    until(`${sql} of ${id}`, async () => ((await stage.database.query(sql, [id])).rowCount ?? 0) > 0, 30_000);
  const cancelled = (id: string) => stage.call('DELETE', `/api/orders/${id}`, { token });

  const settled = [await order('tok_ok'), await order('tok_declined'), await order('tok_ok', 50)];
  const silent = await order('tok_timeout');
  await comesTrue(`SELECT FROM payments.payments WHERE order_id = $1 AND asks > 0`, silent);
  await cancelled(silent);
  // Captured, and cancelled before orders could confirm: confirming reads the table that is locked meanwhile.
  const lock = await stage.database.connect();
  await lock.query('BEGIN; LOCK TABLE orders.barred_users IN ACCESS EXCLUSIVE MODE');
  const captured = await order('tok_flaky');
  await comesTrue(`SELECT FROM payments.payments WHERE order_id = $1 AND status = 'captured'`, captured);
  await cancelled(captured);
  await lock.query('COMMIT');
  lock.release();
  // The log is waited for, not the tables: an event is in its outbox first.
  const logged = (type: string) =>
    `SELECT FROM banyan_log.record WHERE key = $1 AND headers ->> 'ce_type' LIKE '${type}.v%'`;
  const all = [...settled, silent, captured];
  for (const id of all) await comesTrue(logged('notifications.notification-sent'), id);
  for (const id of [settled[1]!, silent, captured]) await comesTrue(logged('catalog.stock-released'), id);
  await comesTrue(logged('payments.payment-voided'), silent);
  await comesTrue(logged('payments.payment-refunded'), captured);
  return causesInLog(stage, all);
}

async function causesInLog({ database }: Stage, orders: readonly string[]): Promise<Cause[]> {
  const { rows } = await database.query<{ cause: string; effect: string }>(
    `SELECT DISTINCT a.headers ->> 'ce_type' AS cause, b.headers ->> 'ce_type' AS effect
     FROM banyan_log.record a JOIN banyan_log.record b ON b.headers ->> 'ce_causationid' = a.headers ->> 'ce_id'
     WHERE a.key = ANY ($1) AND b.key = ANY ($1) ORDER BY 1, 2`,
    [orders],
  );
  const plain = (type: string) => type.replace(/\.v\d+$/, '');
  return rows.map(({ cause, effect }) => [plain(cause), plain(effect)]);
}
