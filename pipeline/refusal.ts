// What the pipeline's commands cannot do because of what they were given: told with the next step, exit 2. The command
// line shows it in the form of every failure.
import { Failure } from '../src/cli/failure.ts';

/** The exit code of what was asked for wrongly: nothing was looked at. */
const BAD_INPUT = 2;

export function refusal(code: string, title: string, detail: string, next: string): Failure {
  const type = `urn:banyan:problem:cli:${code}`;
  return new Failure({ type, title, status: 400, code, detail }, next, undefined, BAD_INPUT);
}
