// What is the same for every call of one operation by one caller, made once: the route, and the constant part of the
// request's text. A call looks it up by its operation, and then by who asks.
import type { Contract, OperationSpec } from '../contract/contract.ts';
import type { Stats } from '../telemetry/stats.ts';
import type { Target } from './far-call.ts';
import { CLIENT_PREFIX, requestHead } from './frames.ts';
import type { RemoteInstances } from './remote-instances.ts';

export class Targets {
  readonly #peers: RemoteInstances;
  readonly #stats: Stats | undefined;
  readonly #known = new WeakMap<OperationSpec, Map<string, Target>>();

  constructor(peers: RemoteInstances, stats: Stats | undefined) {
    this.#peers = peers;
    this.#stats = stats;
  }

  /** @param client asked for a client, with the client's rights: whoever the caller, it is one target. */
  of(contract: Contract, operation: string, caller: string, client: boolean): Target {
    const spec = contract.operations[operation]!;
    let byCaller = this.#known.get(spec);
    if (!byCaller) {
      byCaller = new Map();
      this.#known.set(spec, byCaller);
    }
    const key = client ? CLIENT_PREFIX : caller;
    let target = byCaller.get(key);
    if (!target) {
      const { module } = contract;
      const head = requestHead(module, operation, caller, client);
      const counters = client ? undefined : this.#countersOf(module, operation);
      const traffic = this.#peers.trafficOf(module);
      target = { module, operation, spec, caller, client, traffic, head, counters };
      byCaller.set(key, target);
    }
    return target;
  }

  #countersOf(module: string, operation: string): Target['counters'] {
    const of = (side: 'in-process' | 'service') => this.#stats!.of(module, side, operation);
    return this.#stats && { 'in-process': of('in-process'), service: of('service') };
  }
}
