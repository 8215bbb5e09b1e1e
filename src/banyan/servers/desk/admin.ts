// The handlers of the stores' contract. They read and write rows alone, so that every monolith answers the same, and whoever
// asked may go away: what is done is the coordinator's.
import { doneBy } from '../../context/principal.ts';
import type { Handlers } from '../../contract/handlers.ts';
import { storeErrors } from '../../placement/admin.ts';
import { openBeginning, type StoresOptions } from './beginning.ts';
import type { stores } from './contract.ts';
import { openDesk } from './desk.ts';

export function storeHandlers(options: StoresOptions): Handlers<typeof stores> {
  const desk = openDesk(options);
  const beginning = openBeginning(options, desk);
  return {
    list: async () => storeErrors(() => desk.list()),
    show: async ({ module }) => storeErrors(() => desk.show(module)),

    move: async ({ module, server, changedBy, ...wishes }, call) =>
      storeErrors(() => beginning.move(module, server, wishes, doneBy(call.principal, changedBy), call)),

    back: async ({ module, changedBy }, call) =>
      storeErrors(async () => {
        const target = await desk.wayBack(module);
        return beginning.move(module, target, {}, doneBy(call.principal, changedBy), call);
      }),

    verify: async ({ module, changedBy }, call) =>
      storeErrors(() => beginning.ofPair(module, 'verify', doneBy(call.principal, changedBy), call)),

    finish: async ({ module, changedBy }, call) =>
      storeErrors(() => beginning.ofPair(module, 'finish', doneBy(call.principal, changedBy), call)),

    abort: async ({ module, changedBy }, call) =>
      storeErrors(() => beginning.abort(module, doneBy(call.principal, changedBy), call)),
  };
}
