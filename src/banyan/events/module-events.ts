// What operations on a module's events need of that module. A host has it for every module that it runs, at
// whatever side the module serves: operations change the store, and whoever runs the relay or the consumer
// acts on what it finds there.
import type { Contract } from '../contract/contract.ts';
import type { InnerStore } from '../store/store.ts';
import type { Effect } from './effect.ts';
import type { Listener } from './listener.ts';
import type { Reader } from './reading.ts';

export interface ModuleEvents {
  readonly contract: Contract;
  readonly listeners: readonly Listener[];
  readonly store: InnerStore;
  readonly reader: Reader;
  readonly effect: Effect;
  /** Deliveries may be due: look now. A hint; consumers in other processes look within 2 s. */
  readonly wake: () => void;
}

/** The module's name is its consumer's name and its schema. */
export function nameOf({ contract }: ModuleEvents): string {
  return contract.module;
}
