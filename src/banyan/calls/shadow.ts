// A call that is only tried by another process: what goes back and forth for it. The one asked does all of it as always and
// rolls it back (store/rolled-back.ts), and says what came of it and which events it would have published. Asked for by a
// monolith, to compare (ladder/shadow/mirror.ts), or by a module whose own work is only tried.
// It must not know what the answer is for.
import type { Principal } from '../context/principal.ts';
import { scopes } from '../context/scopes.ts';
import type { OperationSpec } from '../contract/contract.ts';
import { libraryProblem, type Problem, type ProblemBody } from '../contract/problem.ts';
import { statusOfSuccess } from '../contract/status.ts';
import type { TriedEvent } from '../store/rolled-back.ts';
import { problemOf } from './frames.ts';

/** As it goes over the wire. */
export interface ShadowAnswer {
  readonly status: number;
  readonly output?: unknown;
  readonly problem?: ProblemBody;
  /** Of the module that was asked alone, in its order. */
  readonly events: readonly { readonly type: string; readonly key: string; readonly data: unknown }[];
  /** Why it says nothing of the operation: it met somebody's lock, its budget, a lost connection. */
  readonly disturbed?: string;
}

/** What a try came to, on the side that made it. */
export interface TriedHere {
  readonly result: { readonly output: unknown } | { readonly problem: Problem };
  readonly events: readonly TriedEvent[];
  readonly disturbed: string | undefined;
}

export function shadowAnswer(
  module: string,
  spec: OperationSpec,
  { result, events, disturbed }: TriedHere,
): ShadowAnswer {
  const came =
    'output' in result
      ? { status: statusOfSuccess(spec, result.output), output: result.output }
      : { status: result.problem.status, problem: result.problem.body };
  const own = events.filter((event) => event.module === module);
  return {
    ...came,
    events: own.map(({ type, key, data }) => ({ type, key, data })),
    ...(disturbed !== undefined && { disturbed }),
  };
}

/** Out of what a peer sent; undefined where it is none. */
export function shadowAnswerFrom(said: unknown): ShadowAnswer | undefined {
  const { status, problem, events, disturbed } = (said ?? {}) as Partial<ShadowAnswer>;
  if (typeof status !== 'number' || !Array.isArray(events)) return undefined;
  if (problem !== undefined && !problemOf(problem)) return undefined;
  if (disturbed !== undefined && typeof disturbed !== 'string') return undefined;
  if (!events.every((one) => typeof one?.type === 'string' && typeof one.key === 'string')) return undefined;
  return said as ShadowAnswer;
}

/** What a callee answered to who only tries: throws what it would have thrown. */
export function outputOf({ output, problem }: ShadowAnswer): unknown {
  if (problem)
    throw problemOf(problem) ?? libraryProblem('bad-gateway', { detail: 'It answered no problem.' });
  return output ?? null;
}

/** Who asked, in the words of a monolith; undefined where it is nobody. */
export function principalFrom(said: unknown): Principal | undefined {
  const one = (said ?? {}) as Record<string, unknown>;
  const isText = (...names: string[]) => names.every((name) => typeof one[name] === 'string');
  switch (one.kind) {
    case 'anonymous':
      return { kind: 'anonymous' };
    case 'module':
      return isText('name') ? { kind: 'module', name: one.name as string } : undefined;
    case 'user':
      return isText('id', 'role', 'session') && typeof one.epoch === 'number'
        ? (one as unknown as Principal)
        : undefined;
    case 'operator': {
      const known: readonly unknown[] = scopes;
      const all = Array.isArray(one.scopes) && one.scopes.every((scope) => known.includes(scope));
      return isText('name') && all ? (one as unknown as Principal) : undefined;
    }
    default:
      return undefined;
  }
}
