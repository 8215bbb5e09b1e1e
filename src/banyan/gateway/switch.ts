// The router is the switch: one Fastify constraint strategy per module, whose value is the placement of the
// moment. A module's own routes carry `in-process`, its proxy carries `service`; the router picks per
// request, by the path it matched itself, so no trick of encoding reaches the wrong side.
import type { FastifyInstance } from 'fastify';
import { sideOf } from '../routing/side.ts';
import type { Placement, Placements } from '../routing/snapshot.ts';

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

/** Keeps a route for each of the two placements. */
function createStorage() {
  const handlers: Partial<Record<Placement, unknown>> = {};
  return {
    get: (placement: Placement) => handlers[placement] ?? null,
    set: (placement: Placement, handler: unknown) => {
      handlers[placement] = handler;
    },
  };
}
