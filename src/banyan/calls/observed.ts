// A call that has ended, as telemetry hears of it from whoever made it happen: a near ref, or a door. Only where
// somebody listens is anything of it made.
import { type Call, currentFlow, type Flow, withFlow } from '../context/call.ts';
import type { Side } from '../routing/snapshot.ts';

export interface EndedCall {
  readonly module: string;
  readonly operation: string;
  /** Of the call's own span. */
  readonly traceparent: string;
  /** Of the work that asked; undefined where a trace begins. */
  readonly parent: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly failed: boolean;
  /** Where a call to another process went. */
  readonly side?: Side;
}

export interface ObserveCalls {
  /** Whether anybody listens at this moment; where nobody does nothing is measured. */
  readonly active: boolean;
  ended(call: EndedCall): void;
}

/** A near call with a span of its own: what it calls and publishes hangs on that. */
export async function observed<T>(
  observe: ObserveCalls,
  module: string,
  operation: string,
  call: Call,
  work: () => Promise<T>,
): Promise<T> {
  const asking = currentFlow();
  const { traceparent } = call;
  const startMs = Date.now();
  let failed = true;
  try {
    const answer = await withFlow(within(asking, call), work);
    failed = false;
    return answer;
  } finally {
    observe.ended({ module, operation, traceparent, parent: asking?.traceparent, startMs, failed });
  }
}

/** The flow of the one who asks, but for the span. */
function within(asking: Flow | undefined, { deadline, traceparent }: Call): Flow {
  return {
    deadline,
    traceparent,
    get signal() {
      return asking?.signal;
    },
    get transaction() {
      return asking?.transaction;
    },
    get share() {
      return asking?.share;
    },
    event: asking?.event,
  };
}
