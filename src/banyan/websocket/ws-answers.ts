// What a connection of the WebSocket door answers to a call, as text: its result, its problem, or what is said of a
// failure, which is logged here. The words are the HTTP door's: a failure reads alike in both placements.
import type { Logger } from 'pino';
import { errorText, PROBLEM, problemError, resultText, tooLarge } from '../calls/frames.ts';
import type { ServedCall } from '../calls/served-call.ts';
import { isOutage, outageInWords } from '../context/outage.ts';
import { traceOf } from '../context/trace.ts';
import { libraryProblem, Problem } from '../contract/problem.ts';

/** Of a request: what its answer is told by. */
export type Id = number | string;

/** What an answer has around its result. */
const ENVELOPE_BYTES = 512;

const FAILURE_WAS_LOGGED = 'The failure was logged with the trace id of this response.';

export class Answers {
  readonly #maxPayload: number;
  readonly #log: Pick<Logger, 'error'>;

  constructor(maxPayload: number, log: Pick<Logger, 'error'>) {
    this.#maxPayload = maxPayload;
    this.#log = log;
  }

  result(id: Id, method: string, output: unknown): string {
    try {
      const result = JSON.stringify(output) ?? 'null';
      if (!tooLarge(result, this.#maxPayload - ENVELOPE_BYTES)) return resultText(id, result);
      throw new Error(`The answer of ${method} is larger than a frame may be`);
    } catch (error) {
      return this.failure(id, undefined, method, error);
    }
  }

  /** @param call undefined: it was not begun, or is over. */
  failure(id: Id, call: ServedCall | undefined, method: string, error: unknown): string {
    if (error instanceof Problem) return refusal(id, PROBLEM, error);
    // A handler that was told to stop may fail as it likes.
    if (!call?.aborted) {
      const trace = call && traceOf(call.traceparent);
      this.#log.error({ err: error, method, ...trace }, 'calls: the operation failed');
    }
    if (isOutage(error)) {
      const outage = libraryProblem('unavailable', { detail: outageInWords(error), retryAfter: 2 });
      return refusal(id, PROBLEM, outage);
    }
    return refusal(id, PROBLEM, libraryProblem('internal', { detail: FAILURE_WAS_LOGGED }));
  }
}

export function refusal(id: Id, code: number, problem: Problem): string {
  return errorText(id, problemError(problem, code));
}
