// The modules that run here, booted in the order in which they use one another: a module is given the dispatchers of
// those before it, and whatever all of them share.
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { Settings } from '../config/settings.ts';
import { bootModule, type RunningModule } from './boot-module.ts';
import type { BootOptions } from './boot-options.ts';
import type { Database } from './database.ts';
import type { EventLogOf } from './event-log.ts';
import type { Module } from './module.ts';
import type { Undo } from './undo.ts';

/** What is the same for every module. */
export type Shared = Pick<
  BootOptions,
  | 'log'
  | 'security'
  | 'placements'
  | 'keys'
  | 'remote'
  | 'contracts'
  | 'tracing'
  | 'isExempt'
  | 'metrics'
  | 'mirrorOf'
  | 'carriesTo'
> & { readonly eventLogOf: EventLogOf };

export interface BootedModules {
  readonly running: readonly RunningModule[];
  readonly dispatchers: ReadonlyMap<string, Dispatcher>;
}

/** @param modules in order of use. */
export function bootModules(
  modules: readonly Module[],
  { app, hostId, codec, strict }: Settings,
  database: Database,
  { eventLogOf, ...shared }: Shared,
  undo: Undo,
): BootedModules {
  const dispatchers = new Map<string, Dispatcher>();
  const running = modules.map((module) => {
    const name = module.contract.module;
    const one = bootModule(module, {
      ...shared,
      eventLog: eventLogOf(name),
      hostId,
      codec,
      strict,
      signsSessions: name === app.sessions?.module,
      databaseUrl: database.moduleUrl(name),
      schemaUrl: (schema) => database.schemaUrl(name, schema),
      local: dispatchers,
    });
    undo.push(`module ${name}`, () => one.close());
    dispatchers.set(name, one.dispatcher);
    return one;
  });
  return { running, dispatchers };
}
