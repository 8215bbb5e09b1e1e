// Where stores are, as a coordinator asks and says it: placement's rows (placement/store-places.ts), with the address that
// hosts have to know of a server.
import * as rows from '../../placement/store-places.ts';
import type { ServerAddress } from '../../postgres/server-address.ts';
import type { Sql } from '../../store/store.ts';
import type { Places, ServerAt } from './mechanics.ts';

/** @param addressOf without a password; null: as DATABASE_URL says. */
export function createPlaces(sql: Sql, addressOf: (server: ServerAt) => ServerAddress | null): Places {
  return {
    read: () => rows.readPlaces(sql),
    announce: async (tx, module, target) => {
      await rows.announce(tx, module, addressOf(target));
    },
    hold: async (tx, module, target) => {
      await rows.hold(tx, module, addressOf(target));
    },
    release: async (tx, module) => {
      await rows.release(tx, module);
    },
    own: async (tx, module, target, pairedWith) => {
      await rows.own(tx, module, { server: target.name, address: addressOf(target), pairedWith });
    },
    pairWith: async (tx, module, server) => {
      await rows.pairWith(tx, module, server);
    },
    notReady: (module) => rows.notReady(sql, module),
    notHeld: (module, epoch) => rows.notHeld(sql, module, epoch),
    unheard: (module, ms) => rows.unheard(sql, module, ms),
    notOn: (module, epoch) => rows.notOn(sql, module, epoch),
  };
}
