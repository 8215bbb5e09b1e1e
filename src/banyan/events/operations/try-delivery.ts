// Would a delivery be handled if it were tried again? Its listener runs as it is, with the data as it came or with other data,
// in a transaction that is rolled back (store/rolled-back.ts): what came of it is told, and what it would have published.
// Guarantees: nothing of it takes effect or leaves, its row is as it was, and it ends within its budget.
// It must not know what the event means.
import { runRolledBack, type TriedEvent } from '../../store/rolled-back.ts';
import { textual } from '../cloudevents.ts';
import { spanOf } from '../effect.ts';
import type { ModuleEvents } from '../module-events.ts';
import { EventRefused } from '../publisher.ts';
import type { Reading } from '../reading.ts';
import type { DeadLetterDetails } from './dead-letters.ts';
import { edited, NotRepairable, type Readable, refuse } from './edit.ts';
import { type ChangedHeader, madeNew } from './sent-again.ts';

/** Longer than a listener takes that nothing is wrong with; so long it may hold the locks of its rows. */
export const BUDGET_MS = 2_000;

export interface TriedDelivery {
  readonly module: string;
  readonly id: string;
  readonly type: string;
  readonly works: boolean;
  readonly ran: boolean;
  readonly error?: string;
  readonly stack?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly disturbed?: string;
  readonly publishes: readonly TriedEvent[];
  readonly headers: readonly ChangedHeader[];
  readonly tookMs: number;
}

export interface Try {
  /** Undefined: as it came. */
  readonly data?: unknown;
  /** The listener is not called. */
  readonly checkOnly?: boolean | undefined;
  readonly budgetMs?: number;
}

export async function tryDelivery(
  of: ModuleEvents,
  letter: DeadLetterDetails,
  { data, checkOnly = false, budgetMs = BUDGET_MS }: Try,
): Promise<TriedDelivery> {
  const { module, id, type } = letter;
  const { headers, changed } = madeNew(letter.headers ?? {});
  const said = { module, id, type, headers: changed, publishes: [], tookMs: 0, ran: false };
  let reading: Readable;
  try {
    reading = readAgain(of, { ...letter, headers }, data);
  } catch (error) {
    if (!(error instanceof EventRefused) && !(error instanceof NotRepairable)) throw error;
    const errors = error instanceof EventRefused ? error.errors : undefined;
    return { ...said, works: false, error: error.message, ...(errors && { errors }) };
  }
  if (checkOnly) return { ...said, works: true };
  const began = performance.now();
  const { outcome, events, disturbed } = await runRolledBack(() => handled(of, letter, reading), {
    budgetMs,
  });
  const came = 'error' in outcome ? told(outcome.error) : {};
  return {
    ...said,
    ...came,
    works: !('error' in outcome),
    ran: true,
    ...(disturbed !== undefined && { disturbed }),
    publishes: events.map(({ module, type, key, data }) => ({ module, type, key, data })),
    tookMs: Math.round((performance.now() - began) * 10) / 10,
  };
}

/** As the consumer would read it. Throws what keeps it from being handled. */
function readAgain(
  of: ModuleEvents,
  { id, topic, key, headers, value }: DeadLetterDetails,
  data: unknown,
): Readable {
  if (data !== undefined) return edited(of, { id, topic, key, headers: { ...headers } }, data).reading;
  const reading: Reading = of.reader.read(topic, { key, headers: headers ?? {}, value }, id);
  if (reading.kind === 'poison' && !reading.attributes.wrong) {
    const came = parsed(value);
    if (came === undefined) throw new EventRefused(reading.reason, [{ path: '', message: reading.reason }]);
    refuse(of, reading, came);
  }
  if (reading.kind !== 'event') throw new NotRepairable(reading);
  return reading;
}

async function handled(of: ModuleEvents, { topic }: DeadLetterDetails, reading: Readable): Promise<void> {
  const { listener, envelope } = reading;
  await of.effect.attempt({
    listener,
    envelope,
    topic,
    attempt: 1,
    replay: false,
    traceparent: spanOf(envelope),
    enter: async () => true,
  });
}

function told(thrown: unknown): { error: string; stack?: string } {
  const { message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    error: textual(message).slice(0, 2_000) || 'It failed, and did not say why.',
    ...(stack && { stack: textual(stack).slice(0, 8_000) }),
  };
}

function parsed(value: Buffer | null): unknown {
  try {
    return JSON.parse(value?.toString('utf8') ?? '');
  } catch {
    return undefined;
  }
}
