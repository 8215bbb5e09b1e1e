// Where a proxied request was routed to: noted, and counted there, in the turn in which it was routed. There it ends;
// what becomes of it on its way is forwarding.ts.
import type { FastifyInstance } from 'fastify';
import { whenOver } from '../http/counted.ts';
import type { Placements, Side } from '../routing/snapshot.ts';
import type { Forwarding } from './forwarding.ts';
import { routedTo } from './routed.ts';
import type { Upstreams } from './upstreams.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The module whose proxy this route is. */
    proxied?: string;
  }
  interface FastifyRequest {
    /** Where a proxied request was routed to: there it ends. */
    side: Side;
    /** On its way to a process, once one is chosen. */
    forwarding: Forwarding | undefined;
    /** Ends its turn among those under way: when its answer begins, not when a slow reader has it. */
    endTurn: (() => void) | undefined;
  }
}

/**
 * Notes the side of every proxied request, and counts those to a service, in the turn in which it was routed: before
 * any hook that may wait, and long before its body is there. Where this host runs the module, the router has decided.
 */
export function noteSides(
  app: FastifyInstance,
  placements: Placements,
  upstreams: Upstreams,
  local: { has(module: string): boolean },
): void {
  app.decorateRequest('side', 'service');
  app.decorateRequest('forwarding', undefined);
  app.decorateRequest('endTurn', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const module = request.routeOptions.config.proxied;
    if (module !== undefined) {
      request.side = local.has(module) ? 'service' : routedTo(request.raw, module, placements);
      const over = request.side === 'service' ? upstreams.routed(module) : undefined;
      whenOver(reply, () => {
        over?.();
        request.forwarding?.over();
        request.endTurn?.();
      });
    }
    done();
  });
}
