// One request that is to be tried: which may be, and all that is needed of it when its client is gone. It tries nothing.
import { type Call, currentFlow, type Flow } from '../../context/call.ts';
import type { Principal } from '../../context/principal.ts';
import { type Share, shareIn } from '../../context/share.ts';
import type { OperationSpec } from '../../contract/contract.ts';

/** As whom, and for how long. */
export interface ShadowCall extends Call, Flow {
  readonly principal: Principal;
  readonly share: Share;
}

export type Run = (call: Call) => Promise<unknown>;

export class Attempt {
  readonly operation: string;
  readonly spec: OperationSpec;
  readonly input: unknown;
  readonly run: Run;
  late = false;
  readonly #call: Pick<ShadowCall, 'principal' | 'traceparent' | 'address' | 'share'>;

  constructor(operation: string, spec: OperationSpec, input: unknown, call: Call, run: Run) {
    this.operation = operation;
    this.spec = spec;
    this.input = input;
    this.run = run;
    const { principal, traceparent, address } = call;
    const share = (call as Partial<Flow>).share ?? shareIn(currentFlow()) ?? { key: traceparent };
    this.#call = { principal, traceparent, address, share };
  }

  /** The request again, by nobody who could go away, for so long. */
  callFor(ms: number): ShadowCall {
    const { principal } = this.#call;
    const user = principal.kind === 'user' ? { user: principal } : {};
    return { ...this.#call, ...user, deadline: Date.now() + ms };
  }
}

/** What changes nothing can be tried when its answer is out. */
export const isReading = ({ http, shadow }: OperationSpec): boolean =>
  http?.method === 'GET' || shadow?.reads === true;

/** Files are for clients over HTTP alone. */
export const cannot = ({ upload, download, shadow }: OperationSpec): boolean =>
  upload !== undefined || download === true || shadow?.never !== undefined;
