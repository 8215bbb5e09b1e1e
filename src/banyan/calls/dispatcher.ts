// One dispatcher per module and host, behind every door: authorise, validate, handle, answer.
// Because HTTP, the WebSocket door and near refs all end here, the placements cannot differ.
// It knows no transport and no placement.
import type { TSchema } from 'typebox';
import type { Call, Flow } from '../context/call.ts';
import { currentFlow, withFlow } from '../context/call.ts';
import {
  anonymous,
  isAdmin,
  mayDo,
  type Operator,
  type Principal,
  type SessionUser,
} from '../context/principal.ts';
import { listed, type Scope } from '../context/scopes.ts';
import { childOf, newTraceparent } from '../context/trace.ts';
import { isTrial } from '../context/trial.ts';
import type { Contract, OperationSpec } from '../contract/contract.ts';
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { type InputCheck, inputCheck, outputCheck } from '../contract/validation.ts';
import type { Mirror } from '../ladder/shadow/mirror.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';
import { type NoteAct, noteAct } from './acts.ts';
import { type ObserveCalls, observed } from './observed.ts';

type AnyHandler = (input: unknown, call: Call) => Promise<unknown>;

export interface DispatcherOptions {
  /** Send every input and output through JSON and check the output (tests: sharing an object fails here). */
  readonly codec: boolean;
  /** Hears of what administrators do. Absent: nobody listens. */
  readonly security?: SecurityLog | undefined;
  /** Hears of every near call, while it listens; else nothing is measured, and a near call runs in the flow of its caller. */
  readonly observe?: ObserveCalls | undefined;
  /** Tries requests on the module's service as well. Absent: nothing is. */
  readonly mirror?: Mirror | undefined;
}

export interface Dispatcher {
  readonly contract: Contract;
  /** For the doors: the whole call is known. Rejects with a Problem, or with what the handler threw. */
  dispatch(operation: string, input: unknown, call: Call): Promise<unknown>;
  /** For near refs: the call of one operation by another module, with the flow of the moment. */
  forModule(operation: string, caller: string): (input: unknown) => Promise<unknown>;
  has(operation: string): boolean;
}

interface Entry {
  readonly spec: OperationSpec;
  readonly handler: AnyHandler;
  readonly check: InputCheck;
  readonly output: (output: unknown) => unknown;
  /** Has what an administrator does written down; undefined for all else. */
  readonly noted: NoteAct | undefined;
}

export function createDispatcher(
  contract: Contract,
  handlers: Readonly<Record<string, AnyHandler>>,
  { codec, observe, security, mirror }: DispatcherOptions,
): Dispatcher {
  const entries = new Map<string, Entry>();
  for (const [name, spec] of Object.entries(contract.operations)) {
    const handler = handlers[name];
    if (!handler)
      throw new Error(`${contract.module} promises the operation "${name}" and does not implement it`);
    entries.set(name, {
      spec,
      handler,
      check: inputCheck(spec.input),
      output:
        codec && !spec.download
          ? outputCheck(spec.output as TSchema, `${contract.module}.${name}`)
          : (output) => output,
      noted: security && noteAct(security, contract.module, name, spec),
    });
  }

  const entryOf = (operation: string): Entry => {
    const entry = entries.get(operation);
    if (!entry)
      throw libraryProblem('not-found', { detail: `${contract.module} has no operation "${operation}"` });
    return entry;
  };

  return {
    contract,
    has: (operation) => entries.has(operation),

    dispatch(operation, input, call) {
      try {
        const entry = entryOf(operation);
        authorise(entry.spec, call.principal);
        inTime(contract.module, operation, call);
        entry.check(input);
        // The call is itself the flow: its signal may be a getter that few ever ask.
        promised(entry.spec, call);
        const answer = mirror?.active
          ? withFlow(call, () => tried(mirror, operation, entry, input, call))
          : withFlow(call, () => entry.handler(input, call));
        entry.noted?.(input, call, answer);
        return codec ? answer.then(entry.output) : answer;
      } catch (error) {
        return Promise.reject(error);
      }
    },

    forModule(operation, caller) {
      const entry = entryOf(operation);
      const { spec, handler, check, output } = entry;
      const principal: Principal = { kind: 'module', name: caller };
      return (given) => {
        try {
          authorise(spec, principal);
          const input = codec ? throughJson(given) : given;
          check(input);
          const call = new NearCall(principal, currentFlow());
          inTime(contract.module, operation, call);
          const work = mirror?.active
            ? () => tried(mirror, operation, entry, input, call)
            : observe?.active && (() => handler(input, call));
          const answer = !work
            ? handler(input, call)
            : observe?.active
              ? observed(observe, contract.module, operation, call, work)
              : work();
          return codec ? answer.then(output).then(throughJson) : answer;
        } catch (error) {
          return Promise.reject(error);
        }
      };
    },
  };
}

/** What is itself only tried is not tried again. */
function tried(mirror: Mirror, operation: string, { spec, handler }: Entry, input: unknown, call: Call) {
  if (isTrial()) return handler(input, call);
  return mirror.around(operation, spec, input, call, (by) => handler(input, by));
}

/**
 * The call of a near ref, in the flow of its caller. Its traceparent and its signal are made only when a
 * handler asks for them.
 */
class NearCall implements Call {
  readonly principal: Principal;
  readonly #flow: Flow | undefined;
  #traceparent: string | undefined = undefined;

  constructor(principal: Principal, flow: Flow | undefined) {
    this.principal = principal;
    this.#flow = flow;
  }

  get deadline(): number {
    return this.#flow === undefined ? Number.POSITIVE_INFINITY : this.#flow.deadline;
  }

  get signal(): AbortSignal | undefined {
    return this.#flow?.signal;
  }

  get traceparent(): string {
    this.#traceparent ??= this.#flow ? childOf(this.#flow.traceparent) : newTraceparent();
    return this.#traceparent;
  }
}

/** What the type of a handler's call says (`CallOf`) is so: its user is there, and its file. */
function promised({ access, upload }: OperationSpec, call: { user?: SessionUser } & Call): void {
  if (access === 'session') call.user = call.principal as SessionUser;
  if (upload && !call.upload) throw new Error('a door let an upload through without its file');
}

/** Nobody waits any more for what is past its deadline: it is not begun. */
function inTime(module: string, operation: string, { deadline }: Call): void {
  if (deadline !== Number.POSITIVE_INFINITY && deadline < Date.now())
    throw libraryProblem('deadline-exceeded', { detail: `${module}.${operation} was asked too late` });
}

function throughJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/** Throws the 401 or 403 problem. Doors that can ask before they read a body do. */
export function authorise(spec: OperationSpec, principal: Principal): void {
  switch (spec.access) {
    case 'public':
      return;
    case 'session':
      if (principal.kind === 'user') return;
      break;
    case 'admin':
      if (isAdmin(principal) || mayDo(principal, spec.scope ?? [])) return;
      break;
    case 'operator':
      if (mayDo(principal, spec.scope ?? [])) return;
      break;
    case 'internal':
      if (principal.kind === 'module') return;
      break;
  }
  if (principal === anonymous || principal.kind === 'anonymous') {
    throw libraryProblem('unauthenticated', {
      detail:
        spec.access === 'operator'
          ? 'Send ADMIN_TOKEN, or the token of an operator, as a bearer token.'
          : 'Send a session token as a bearer token.',
    });
  }
  if (principal.kind === 'operator' && spec.scope !== undefined)
    throw scopeMissing(listed(spec.scope), principal);
  throw libraryProblem('forbidden', { detail: `This operation is for ${audience[spec.access]}.` });
}

function scopeMissing(needed: readonly Scope[], { name, scopes }: Operator): Problem {
  const wanted = needed.join(' or ');
  return libraryProblem('forbidden', {
    detail:
      `This operation needs the scope ${wanted}, and ${name} has ${scopes.join(', ') || 'none'}. Whoever holds ADMIN_TOKEN ` +
      `or the scope operators can grant it: npx banyan operators add NAME --scope ${needed[0]}`,
    extra: { missingScope: needed[0] },
  });
}

const audience: Record<OperationSpec['access'], string> = {
  public: 'everyone',
  session: 'people who are signed in',
  admin: 'administrators',
  operator: 'operators, such as the holder of ADMIN_TOKEN',
  internal: 'other modules',
};
