// The handlers of the events contract, loaded when somebody first asks: no start needs these twenty files, and hardly any
// process is ever asked. It knows no operation.
import type { Handlers } from '../../contract/handlers.ts';
import { events } from './contract.ts';
import type { SiteOptions } from './site.ts';

type All = Handlers<typeof events>;
type AnyHandler = (input: unknown, call: unknown) => Promise<unknown>;

export function lateEventHandlers(options: SiteOptions): All {
  let loaded: Promise<All> | undefined;
  const load = () => {
    loaded ??= import('./handlers.ts').then(({ eventHandlers }) => eventHandlers(options));
    return loaded;
  };
  const late = (name: keyof All): AnyHandler => {
    return async (input, call) => ((await load())[name] as AnyHandler)(input, call);
  };
  const names = Object.keys(events.operations) as (keyof All)[];
  return Object.fromEntries(names.map((name) => [name, late(name)])) as unknown as All;
}
