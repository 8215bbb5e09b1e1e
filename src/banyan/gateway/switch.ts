// The router is the switch: one Fastify constraint strategy per module, whose value is the side of the
// request. A module's own routes carry `in-process`, its proxy carries `service`; the router picks per
// request, by the path it matched itself, so no trick of encoding reaches the wrong side.

import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Placements, Side } from '../routing/snapshot.ts';
import { routedTo } from './routed.ts';

/** The name of a module's constraint: find-my-way compiles it into code, so it must be an identifier. */
export function switchOf(module: string): string {
  return `placement_${module.replaceAll('-', '_')}`;
}

/** `remoteOnly`: this host does not run the module, so every request goes to the proxy. */
export function addSwitch(
  app: FastifyInstance,
  module: string,
  placements: Placements,
  remoteOnly: boolean,
): void {
  app.addConstraintStrategy({
    name: switchOf(module),
    storage: () => createStorage((raw) => routedTo(raw, module, placements)),
    mustMatchWhenDerived: false,
    validate: () => undefined,
    // All strategies derive a value for every request; the side is decided by the one whose route matched.
    deriveConstraint: remoteOnly ? () => 'service' : (raw: IncomingMessage) => raw,
  } as unknown as Parameters<FastifyInstance['addConstraintStrategy']>[0]);
}

/** Keeps a route for each of the two sides, and finds it by either, or by the request that is to be routed. */
function createStorage(decide: (raw: IncomingMessage) => Side) {
  const handlers: Partial<Record<Side, unknown>> = {};
  return {
    get: (value: Side | IncomingMessage) =>
      handlers[typeof value === 'string' ? value : decide(value)] ?? null,
    set: (side: Side, handler: unknown) => {
      handlers[side] = handler;
    },
  };
}
