// Names that say another address: the database, and a service, move while everybody works, and nobody answers at the old place.
import type { Scenario } from './scenario.ts';

/** Connections to the old place are given up after this, at the latest. */
const WATCH_MS = 30_000;

const moving = (name: string, about: string, host: string, served: boolean): Scenario => ({
  name,
  about,
  ...(served ? { servedAfterS: 20 } : {}),
  recoversS: 40,
  async play(stand) {
    await stand.shop.network.move(host);
    stand.struck();
    stand.mended();
    await stand.watch(WATCH_MS);
    for (const id of ['orders-1', 'orders-2', 'catalog-1', 'payments-1'])
      if (!(await stand.shop.healthy(id)))
        stand.wrong(`${id} is not healthy ${WATCH_MS / 1_000} s after ${host} has moved`);
  },
});

export const movedDatabase = moving('moved-database', 'the database gets another address', 'db', false);
export const movedService = moving('moved-service', 'a service of orders gets another one', 'orders-1', true);
