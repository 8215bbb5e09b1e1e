// What an operator may ask of sagas: the style, what is open, one order's saga, and help for one that is stuck.
// A coordinator is told to go on or to turn round; in a choreography nobody can be told, so the question is put
// to everybody once more, and whoever answered before answers again.
import {
  type Call,
  doneBy,
  type Engine,
  type Open,
  problem,
  type Store,
  styleWhen,
  type Transaction,
} from '#banyan';
import { type Order, orders, type SagaOfOrder, type SagaOverview, type SagaStyle } from '../contract.ts';
import { cancel, type Ended, tellEnd } from '../decisions.ts';
import { CANCELLED, type Checkout } from './orchestration.ts';
import { explained, timelineOf } from './words.ts';

export interface OperatorParts {
  readonly store: Store;
  readonly coordinator: Engine<Checkout>;
}

export class SagaOperator {
  readonly #parts: OperatorParts;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  async setStyle(style: SagaStyle, remark: string | undefined, call: Call) {
    const { coordinator } = this.#parts;
    const { style: before } = await coordinator.overview(0);
    const inForce = await coordinator.setStyle(style, doneBy(call.principal, remark));
    call.change = { before: { style: before }, after: { style: inForce.style } };
    return inForce;
  }

  async overview(): Promise<SagaOverview> {
    const { oldestStuck, ...numbers } = await this.#parts.coordinator.overview(20);
    return {
      ...numbers,
      stuckOrders: oldestStuck.map((open) => {
        const { why, next } = explained(open);
        const { id: orderId, driven, step, since } = open;
        return {
          orderId,
          style: styleWhen(driven),
          step,
          since: since.toISOString(),
          why: why!,
          next: next!,
        };
      }),
    };
  }

  async show(orderId: string): Promise<SagaOfOrder> {
    const { store, coordinator } = this.#parts;
    const { rows } = await store.sql.query<Row>('SELECT status, reason, saga FROM orders WHERE id = $1', [
      orderId,
    ]);
    const row = rows[0];
    if (!row) throw problem(orders, 'order-unknown');
    const open = await coordinator.open(orderId);
    const items = timelineOf(row, await coordinator.timeline(orderId), open);
    const { state, why, next } = open
      ? explained(open)
      : { state: 'finished' as const, why: null, next: null };
    return {
      orderId,
      style: row.saga,
      status: row.status,
      state,
      step: open?.step ?? items.at(-1)?.step ?? 'place-order',
      why: why ?? row.reason ?? null,
      next,
      items,
    };
  }

  async retry(orderId: string, call: Call): Promise<SagaOfOrder> {
    const { store, coordinator } = this.#parts;
    const open = await this.#stuck(orderId);
    await store.transaction(async (tx) => {
      if (open.driven) await coordinator.retryNow(tx, orderId);
      else await askAgain(tx, orderId);
    });
    return this.#changed(open, call);
  }

  async cancel(orderId: string, call: Call): Promise<SagaOfOrder> {
    const open = await this.#stuck(orderId);
    await this.#parts.store.transaction(async (tx) => {
      const how = await this.requestCancel(tx, orderId);
      if (how === 'done' || how === 'called-off') return;
      throw problem(orders, 'too-late', {
        detail:
          how === 'already'
            ? `It is being taken back already. What helps: npx banyan saga retry ${orderId}`
            : `The order is decided, and only goes forward. What helps: npx banyan saga retry ${orderId}`,
      });
    });
    return this.#changed(open, call);
  }

  async #changed({ id, step }: Open, call: Call): Promise<SagaOfOrder> {
    const now = await this.show(id);
    call.change = { before: { state: 'stuck', step }, after: { state: now.state, step: now.step } };
    return now;
  }

  /** Takes an order back, if nothing decided it yet. `called-off`: a coordinator does it, step by step. */
  async requestCancel(
    tx: Transaction,
    orderId: string,
  ): Promise<'done' | 'called-off' | 'already' | 'too-late'> {
    const { coordinator } = this.#parts;
    const how = await coordinator.requestCancel(tx, orderId, CANCELLED);
    if (how === 'not-driven') return (await cancel(tx, orderId)).length > 0 ? 'done' : 'too-late';
    if (how !== 'nothing-begun') return how;
    await coordinator.changeNow(tx, orderId);
    return 'done';
  }

  async #stuck(orderId: string): Promise<Open> {
    const { state, status } = await this.show(orderId);
    if (state === 'finished')
      throw problem(orders, 'saga-finished', {
        detail: `The order is ${status}, and nothing is left to do.`,
      });
    const open = await this.#parts.coordinator.open(orderId);
    if (state !== 'stuck' || !open)
      throw problem(orders, 'saga-running', {
        detail: `It is ${state}, within its time. See npx banyan saga show ${orderId}`,
      });
    return open;
  }
}

type Row = Pick<Order, 'status' | 'reason' | 'saga'> & Record<string, unknown>;

/** Says again what orders said last of it. */
async function askAgain(tx: Transaction, orderId: string): Promise<void> {
  const { rows } = await tx.sql.query(
    `SELECT o.*, (
       SELECT json_agg(json_build_object('productId', product_id, 'quantity', quantity) ORDER BY position)
       FROM order_lines WHERE order_id = o.id
     ) AS lines FROM orders o WHERE id = $1 FOR UPDATE`,
    [orderId],
  );
  const row = rows[0]!;
  if (row.status !== 'placed') {
    await tellEnd(tx, row as unknown as Ended);
    return;
  }
  await tx.publish(orders.events['order-placed'], {
    orderId,
    userId: row.user_id,
    lines: row.lines,
    totalCents: Number(row.total_cents),
    currency: row.currency,
    paymentToken: row.payment_token,
    saga: 'choreography',
  });
}
