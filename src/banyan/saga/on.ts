// How a module says that it listens, and in sagas of which style it acts. This is the one place where a style is asked for.
import type { DataOf, EventDefinition } from '../contract/contract.ts';
import type { Listener } from '../events/listener.ts';
import { type Style, styleOf } from './style.ts';

type ListenerOptions<E extends EventDefinition> = Pick<Listener, 'retry' | 'replayable'> &
  ('saga' extends keyof DataOf<E> ? { readonly style?: Style } : { readonly style?: never });

/**
 * Keeps the type of the event for its handler. `style`: it acts in sagas of that style alone, as the event tells it;
 * the events of all others pass it by. Default: in both. This is the one place where a listener says so.
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
