// The router is the switch: one Fastify constraint strategy per module, whose value is the side of the
// request. A module's own routes carry `in-process`, its proxy carries `service`; the router picks per
// request, by the path it matched itself, so no trick of encoding reaches the wrong side.
import type { FastifyInstance } from 'fastify';
import { sideOf } from '../routing/side.ts';
import type { Placements, Side } from '../routing/snapshot.ts';

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
    storage: createStorage,
    mustMatchWhenDerived: false,
    validate: () => undefined,
    deriveConstraint: remoteOnly ? () => 'service' : () => sideOf(placements.current, module),
  } as unknown as Parameters<FastifyInstance['addConstraintStrategy']>[0]);
}

/** Keeps a route for each of the two sides. */
function createStorage() {
  const handlers: Partial<Record<Side, unknown>> = {};
  return {
    get: (side: Side) => handlers[side] ?? null,
    set: (side: Side, handler: unknown) => {
      handlers[side] = handler;
    },
  };
}
