// What administrators do, in the security log: who, what to, how it was before and after, and how it ended. It knows no
// operation: whatever is for administrators and is no mere look is written down, and its handler says what it changed.
import type { Call } from '../context/call.ts';
import type { Principal } from '../context/principal.ts';
import type { OperationSpec } from '../contract/contract.ts';
import { Problem } from '../contract/problem.ts';
import type { Actor, Outcome, SecurityLog } from '../telemetry/security-log.ts';

/** Hears of a call when it began. */
export type NoteAct = (input: unknown, call: Call, answer: Promise<unknown>) => void;

/** Undefined for an operation that changes nothing, or is not for administrators alone. */
export function noteAct(
  security: SecurityLog,
  module: string,
  name: string,
  { access, http }: OperationSpec,
): NoteAct | undefined {
  if ((access !== 'operator' && access !== 'admin') || !http || http.method === 'GET') return undefined;
  const inPath = [...http.path.matchAll(/:(\w+)/g)].map((match) => match[1]!);
  return (input, call, answer) => {
    const given = input as Readonly<Record<string, unknown>>;
    const target = inPath.map((field) => String(given[field])).join('/');
    const write = (outcome: Outcome, reason?: string) =>
      security.write({
        event: `admin.${module}.${name}`,
        outcome,
        actor: actorOf(call.principal),
        address: call.address,
        trace: call.traceparent,
        ...(target === '' ? {} : { target }),
        reason,
        claimed: typeof given.changedBy === 'string' ? given.changedBy : undefined,
        ...(call.change ?? { after: shortOf(given, inPath) }),
      });
    answer.then(
      () => write('ok'),
      (error: unknown) => write(...endOf(error)),
    );
  };
}

/** Of what a handler says nothing about: what was asked, as far as it is no text of somebody's. */
function shortOf(given: Readonly<Record<string, unknown>>, inPath: readonly string[]): unknown {
  const short = Object.entries(given).filter(
    ([name, value]) =>
      name !== 'changedBy' &&
      !inPath.includes(name) &&
      (typeof value === 'number' ||
        typeof value === 'boolean' ||
        (typeof value === 'string' && value.length < 60)),
  );
  return short.length === 0 ? undefined : Object.fromEntries(short);
}

/** What was refused has a cause of its own; of what went wrong here the host's log says more. */
function endOf(error: unknown): [Outcome, string] {
  if (!(error instanceof Problem)) return ['failed', 'an error, see the log of this host by the trace'];
  return [error.status >= 500 ? 'failed' : 'refused', `${error.code}: ${error.message}`];
}

export function actorOf(principal: Principal): Actor {
  if (principal.kind === 'user') return { kind: 'user', id: principal.id };
  if (principal.kind === 'anonymous') return { kind: 'anonymous' };
  return { kind: principal.kind, name: principal.name };
}
