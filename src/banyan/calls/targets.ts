// What is the same for every call of one operation by one caller, made once: the route, and the constant part of the
// request's text. A call looks it up by its operation, and then by who asks.
import type { Contract, OperationSpec } from '../contract/contract.ts';
import type { Stats } from '../telemetry/stats.ts';
import type { Target } from './far-call.ts';
import { CLIENT_PREFIX, type Prefix, requestHead } from './frames.ts';
import type { RemoteInstances } from './remote-instances.ts';

export class Targets {
  readonly #peers: RemoteInstances;
  readonly #stats: Stats | undefined;
  readonly #known = new WeakMap<OperationSpec, Map<string, Target>>();

  constructor(peers: RemoteInstances, stats: Stats | undefined) {
    this.#peers = peers;
    this.#stats = stats;
  }

  /** @param prefix as what it goes: a client's is one target, whoever the caller. */
  of(contract: Contract, operation: string, caller: string, prefix: Prefix): Target {
    const spec = contract.operations[operation]!;
    let byCaller = this.#known.get(spec);
    if (!byCaller) {
      byCaller = new Map();
      this.#known.set(spec, byCaller);
    }
    const key = prefix === CLIENT_PREFIX ? prefix : prefix + caller;
    let target = byCaller.get(key);
    if (!target) {
      const { module } = contract;
      const head = requestHead(module, operation, caller, prefix);
      const counters = prefix !== '' ? undefined : this.#countersOf(module, operation, caller);
      const traffic = this.#peers.trafficOf(module);
      target = { module, operation, spec, caller, prefix, traffic, head, counters };
      byCaller.set(key, target);
    }
    return target;
  }

  #countersOf(module: string, operation: string, caller: string): Target['counters'] {
    const of = (side: 'in-process' | 'service') => this.#stats!.of(module, side, operation, caller);
    return this.#stats && { 'in-process': of('in-process'), service: of('service') };
  }
}
