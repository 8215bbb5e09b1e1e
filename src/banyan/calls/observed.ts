// A call that has ended, as telemetry hears of it from whoever made it happen: a near ref, or a door. Only where
// somebody listens is anything of it made.
import { type Call, currentFlow, type Flow, withFlow } from '../context/call.ts';

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
}

export type ObserveCall = (call: EndedCall) => void;

/** A near call with a span of its own: what it calls and publishes hangs on that. */
export async function observed<T>(
  observe: ObserveCall,
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
    observe({ module, operation, traceparent, parent: asking?.traceparent, startMs, failed });
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
