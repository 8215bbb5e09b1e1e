// What the method names of frames lead to at the WebSocket door of this host: an operation of a module that runs here,
// asked for by a module or for a client.
import type { Dispatcher } from '../calls/dispatcher.ts';
import { CLIENT_PREFIX } from '../calls/frames.ts';

/** What a method name leads to. */
export interface RpcMethod {
  readonly dispatcher: Dispatcher;
  readonly operation: string;
  /** A gateway asks for a client: the call has that client's rights. */
  readonly client: boolean;
}

/** Every method name there is; uploads and downloads are for clients over HTTP alone. What has a route has two. */
export function methodsOf(dispatchers: ReadonlyMap<string, Dispatcher>): Map<string, RpcMethod> {
  const methods = new Map<string, RpcMethod>();
  for (const [module, dispatcher] of dispatchers) {
    for (const [operation, spec] of Object.entries(dispatcher.contract.operations)) {
      if (spec.upload || spec.download) continue;
      const name = `${module}.${operation}`;
      methods.set(name, { dispatcher, operation, client: false });
      if (spec.http) methods.set(`${CLIENT_PREFIX}${name}`, { dispatcher, operation, client: true });
    }
  }
  return methods;
}
