// What the contracts of operators spell alike: which module, who asks, and a module for the example.
import type { Contract } from './contract.ts';
import { Type } from './type.ts';

export const moduleName = Type.String({ maxLength: 100 });

/** Beside the name that the token proves. */
export const changedBy = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 100,
    description: 'A remark for the history, beside the name of who asks.',
    examples: ['ada'],
  }),
);

/** The header that `changedBy` comes from. */
export const changedByHeader = { changedBy: 'X-Changed-By' };

/** The library names no module: an example takes the last of those that publish events. */
export const ofSomeModule = (contracts: readonly Contract[]) => ({
  module: contracts.findLast(({ events }) => Object.keys(events).length > 0)?.module,
});
