// What an operator may ask of sagas: the style, what is open, one order's saga, and help for one that is stuck.
// A coordinator is told to go on or to turn round; in a choreography nobody can be told, so the question is put
// to everybody once more, and whoever answered before answers again.
import {
  type Call,
  doneBy,
  type Engine,
  isUnfiltered,
  type Open,
  problem,
  type SagaFilter,
  type SagaListed,
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

  async overview(filter: SagaFilter = {}): Promise<SagaOverview> {
    const { oldestStuck, ...numbers } = await this.#parts.coordinator.overview(20);
    return {
      ...numbers,
      ...(isUnfiltered(filter) ? {} : await this.#list(filter)),
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

  async #list(filter: SagaFilter): Promise<{ items: SagaListed[]; nextCursor: string | null }> {
    const { coordinator } = this.#parts;
    if (filter.id !== undefined) return { items: await this.#ofId(filter.id), nextCursor: null };
    const { items, nextCursor } = await coordinator.list(filter);
    return { items: items.map(listed), nextCursor };
  }

  async #ofId(id: string): Promise<SagaListed[]> {
    const open = await this.#parts.coordinator.open(id);
    if (open) return [listed(open)];
    const found = await this.#find(id);
    if (!found) return [];
    const { state, style, step, why, items, createdAt } = found;
    const last = items.at(-1);
    const [attempts, since] = [last?.attempts ?? 1, last?.at ?? createdAt];
    return [
      {
        id,
        by: null,
        notCancelled: null,
        style,
        state,
        step,
        attempts,
        since,
        deadline: null,
        why,
        next: null,
      },
    ];
  }

  async show(orderId: string): Promise<SagaOfOrder> {
    const found = await this.#find(orderId);
    if (!found) throw problem(orders, 'order-unknown');
    const { createdAt: _, ...shown } = found;
    return { ...shown, ...(await this.#parts.coordinator.beginning(orderId)) };
  }

  async #find(orderId: string): Promise<(SagaOfOrder & { readonly createdAt: string }) | undefined> {
    const { store, coordinator } = this.#parts;
    const { rows } = await store.sql.query<Row>(
      'SELECT status, reason, saga, created_at FROM orders WHERE id = $1',
      [orderId],
    );
    const row = rows[0];
    if (!row) return undefined;
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
      by: open?.by ?? null,
      notCancelled: open?.notCancelled ?? null,
      why: why ?? row.reason ?? null,
      next,
      items,
      createdAt: row.created_at.toISOString(),
    };
  }

  async retry(orderId: string, remark: string | undefined, call: Call): Promise<SagaOfOrder> {
    const { store, coordinator } = this.#parts;
    const open = await this.#stuck(orderId);
    await store.transaction(async (tx) => {
      if (open.driven) await coordinator.retryNow(tx, orderId);
      else await askAgain(tx, orderId);
      await coordinator.noteHelp(tx, 'retried', orderId, doneBy(call.principal, remark));
    });
    return this.#changed(open, call);
  }

  async cancel(orderId: string, remark: string | undefined, call: Call): Promise<SagaOfOrder> {
    const open = await this.#stuck(orderId);
    if (open.notCancelled !== null) throw tooLate(orderId, open.notCancelled);
    const { store, coordinator } = this.#parts;
    await store.transaction(async (tx) => {
      const how = await this.requestCancel(tx, orderId);
      if (how === 'done' || how === 'called-off')
        return coordinator.noteHelp(tx, 'cancelled', orderId, doneBy(call.principal, remark));
      // It went on since it was looked at.
      throw tooLate(
        orderId,
        how === 'already' ? 'It is being taken back already.' : 'The order was decided meanwhile.',
      );
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

type Row = Pick<Order, 'status' | 'reason' | 'saga'> & { readonly created_at: Date } & Record<
    string,
    unknown
  >;

const tooLate = (orderId: string, why: string) =>
  problem(orders, 'too-late', { detail: `${why} What holds it: npx banyan saga show ${orderId}` });

function listed(open: Open): SagaListed {
  const { id, by, notCancelled, driven, step, attempts, since, deadline } = open;
  const [at, until] = [since.toISOString(), deadline.toISOString()];
  const style = styleWhen(driven);
  return { id, by, notCancelled, style, step, attempts, since: at, deadline: until, ...explained(open) };
}

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
