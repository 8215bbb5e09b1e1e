// How a module says that it listens, and in sagas of which style it acts. Events from before there were two styles count
// as choreography. It must not know what a listener does.
import type { DataOf, EventDefinition } from '../contract/contract.ts';
import type { Listener } from '../events/listener.ts';
import { type Style, styleOf } from './style.ts';

type ListenerOptions<E extends EventDefinition> = Pick<Listener, 'retry' | 'replayable'> &
  ('saga' extends keyof DataOf<E> ? { readonly style?: Style } : { readonly style?: never });

/**
 * Keeps the type of the event for its handler. `style`: it runs only if the event's `saga` equals this style; other
 * events are ignored. Default: it runs for both.
 */
export function on<E extends EventDefinition>(
  event: E,
  handle: Listener<E>['handle'],
  options: NoInfer<ListenerOptions<E>> = {} as ListenerOptions<E>,
): Listener {
  const { style, ...more } = options;
  const own: Listener<E>['handle'] = async (data, context) => {
    if (styleOf(data as { saga?: string }) === style) await handle(data, context);
  };
  return { event, handle: style ? own : handle, ...more } as unknown as Listener;
}
