// What the answer to a frame means for its call: a result, a problem, a host that shuts down, or a call of a client
// or a shadow that is not taken that way. It reads the answer alone and knows no socket.
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { AskByHttp, type FarCall } from './far-call.ts';
import { BY_HTTP, CLOSING, METHOD_NOT_FOUND, problemOf, type RpcError } from './frames.ts';

/** @param result undefined: the answer has none. @param error undefined: the same. */
export function settle(call: FarCall, result: unknown, error: unknown): void {
  if (error !== undefined) refused(call, error as RpcError | null);
  else if (result !== undefined) call.answered(result);
  else call.failed(badAnswer(call));
}

function refused(call: FarCall, error: RpcError | null): void {
  if (error?.code === CLOSING) call.lost(false, 'it is shutting down');
  else if (call.target.prefix !== '' && (error?.code === BY_HTTP || error?.code === METHOD_NOT_FOUND))
    call.failed(new AskByHttp());
  else call.failed(problemOf(error?.data, error?.retryAfter) ?? badAnswer(call));
}

function badAnswer({ target }: FarCall): Problem {
  return libraryProblem('bad-gateway', {
    detail: `${target.module}.${target.operation} was answered with something that is no answer.`,
    extra: { module: target.module },
  });
}
