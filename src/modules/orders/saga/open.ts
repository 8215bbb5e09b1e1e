// The sagas that are not over: where each stands and since when. Of a coordinated order its row says so; of a
// choreographed one nobody does, so it is read from what was noted: the step that is missing is the one it
// stands at. Past its deadline a saga is stuck, with the reason and the command that helps.
import type { Sql } from '../../../kernel/store/store.ts';
import type { OpenState, SagaStyle } from '../contract.ts';

/** No choreographed step takes longer, not even a card network that never answers (6 s). */
const LATE_AFTER = `interval '20 seconds'`;
/** Ends that were to be taken back are looked at for so long. */
const UNDONE_WITHIN = `interval '1 hour'`;

export interface Open {
  readonly orderId: string;
  readonly style: SagaStyle;
  readonly state: OpenState;
  readonly step: string;
  readonly attempts: number;
  readonly since: string;
  readonly why: string | null;
  /** The command that helps one that is stuck. */
  readonly next: string | null;
}

/** `one`: a condition on the orders to look at, with `o` as the order. */
const openSagas = (one: string) => `
  SELECT o.id, o.saga AS style, s.path, s.step, s.attempts, s.awaits, s.trouble, s.updated_at AS since,
    s.deadline_at < now() AS late, s.due_at > now() AND s.trouble IS NOT NULL AS pausing
  FROM sagas s JOIN orders o USING (id) WHERE s.path <> 'done' AND ${one}
  UNION ALL
  SELECT o.id, o.saga, 'forward',
    CASE WHEN captured THEN 'confirm-order' WHEN reserved THEN 'capture-payment' ELSE 'reserve-stock' END,
    1, true, NULL, last_at, last_at < now() - ${LATE_AFTER}, false
  FROM orders o CROSS JOIN LATERAL (${seen}) seen
  WHERE o.status = 'placed' AND o.saga = 'choreography' AND ${one}
  UNION ALL
  SELECT o.id, o.saga, 'undo',
    CASE WHEN reserved AND NOT released THEN 'release-stock' ELSE 'refund-payment' END,
    1, true, NULL, o.decided_at, o.decided_at < now() - ${LATE_AFTER}, false
  FROM orders o CROSS JOIN LATERAL (${seen}) seen
  WHERE o.status IN ('rejected', 'cancelled') AND o.decided_at > now() - ${UNDONE_WITHIN} AND o.saga = 'choreography'
    AND (reserved AND NOT released OR captured AND NOT refunded) AND ${one}`;

const seen = `
  SELECT max(at) AS last_at,
    coalesce(bool_or(step = 'reserve-stock' AND status = 'done'), false) AS reserved,
    coalesce(bool_or(step = 'release-stock'), false) AS released,
    coalesce(bool_or(step = 'capture-payment' AND status = 'done'), false) AS captured,
    coalesce(bool_or(step = 'refund-payment'), false) AS refunded
  FROM saga_steps WHERE saga_id = o.id`;

interface Row extends Record<string, unknown> {
  id: string;
  style: SagaStyle;
  path: 'forward' | 'undo' | 'after';
  step: string;
  attempts: number;
  awaits: boolean;
  trouble: string | null;
  since: Date;
  late: boolean;
  pausing: boolean;
}

export async function openOf(sql: Sql, orderId: string): Promise<Open | undefined> {
  const { rows } = await sql.query<Row>(openSagas('o.id = $1'), [orderId]);
  return rows[0] && openFrom(rows[0]);
}

/** Oldest first, at most so many. */
export async function stuckSagas(sql: Sql, limit: number): Promise<Open[]> {
  const { rows } = await sql.query<Row>(
    `SELECT * FROM (${openSagas('true')}) open WHERE late ORDER BY since LIMIT $1`,
    [limit],
  );
  return rows.map(openFrom);
}

export interface Counted {
  readonly style: SagaStyle;
  readonly step: string;
  readonly state: OpenState;
  readonly count: number;
}

export async function countOpen(sql: Sql): Promise<Counted[]> {
  const { rows } = await sql.query<Counted & Record<string, unknown>>(`
    SELECT style, step, count(*)::int AS count, CASE
      WHEN late THEN 'stuck' WHEN path = 'undo' THEN 'compensating' WHEN awaits OR pausing THEN 'waiting' ELSE 'running'
    END AS state
    FROM (${openSagas('true')}) open GROUP BY 1, 2, 4 ORDER BY 1, 2, 4`);
  return rows;
}

function openFrom(row: Row): Open {
  const { id: orderId, style, step, attempts, since, trouble, late, path, awaits, pausing } = row;
  const state = late ? 'stuck' : path === 'undo' ? 'compensating' : awaits || pausing ? 'waiting' : 'running';
  const seconds = Math.round((Date.now() - since.getTime()) / 1000);
  const who = whoOf[step] ?? 'orders';
  const silence = `${who} has not answered ${step} for ${seconds} s`;
  const hint =
    style === 'choreography' ? `${silence}; npx banyan events dead ${who} shows what failed there` : silence;
  return {
    orderId,
    style,
    state,
    step,
    attempts,
    since: since.toISOString(),
    why: trouble ?? (late ? hint : null),
    next: late ? `npx banyan saga retry ${orderId}` : null,
  };
}

/** Whose answer is missing. */
const whoOf: Readonly<Record<string, string>> = {
  'reserve-stock': 'catalog',
  'release-stock': 'catalog',
  'sell-stock': 'catalog',
  'capture-payment': 'payments',
  'refund-payment': 'payments',
  'mail-customer': 'notifications',
};
