// What the method names of frames lead to at the WebSocket door of this host: an operation of a module that runs here,
// asked for by a module, for a client, or to be only tried.
import type { Dispatcher } from '../calls/dispatcher.ts';
import { CLIENT_PREFIX, type Prefix, SHADOW_PREFIX } from '../calls/frames.ts';
import type { ShadowAnswer } from '../calls/shadow.ts';
import type { Call } from '../context/call.ts';

/** Does it as always and rolls it back. Never rejects. */
export type TryHere = (
  module: string,
  operation: string,
  input: unknown,
  call: Call,
) => Promise<ShadowAnswer>;

/** What a method name leads to. */
export interface RpcMethod {
  readonly dispatcher: Dispatcher;
  readonly operation: string;
  /** `client:` a gateway asks for a client, and the call has that client's rights; `shadow:` it is only tried. */
  readonly prefix: Prefix;
}

/**
 * Every method name there is; uploads and downloads are for clients over HTTP alone. What has a route has another one, and
 * where this host can only try a thing, what may be tried has one more.
 */
export function methodsOf(
  dispatchers: ReadonlyMap<string, Dispatcher>,
  canTry = false,
): Map<string, RpcMethod> {
  const methods = new Map<string, RpcMethod>();
  for (const [module, dispatcher] of dispatchers) {
    for (const [operation, spec] of Object.entries(dispatcher.contract.operations)) {
      if (spec.upload || spec.download) continue;
      const name = `${module}.${operation}`;
      methods.set(name, { dispatcher, operation, prefix: '' });
      if (spec.http) methods.set(CLIENT_PREFIX + name, { dispatcher, operation, prefix: CLIENT_PREFIX });
      if (canTry && spec.shadow?.never === undefined)
        methods.set(SHADOW_PREFIX + name, { dispatcher, operation, prefix: SHADOW_PREFIX });
    }
  }
  return methods;
}
