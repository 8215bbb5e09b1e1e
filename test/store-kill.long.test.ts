// The kill table: each party of a move is killed before and after each write of what the coordinator knows, both ways, while
// customers place orders. Before the commit point it goes back, after it on, by itself; nothing that was promised is
// missing, nothing is there twice, and the servers agree.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { booksOf, differences } from './rehearse/store/books.ts';
import { openStage, type StoreShop } from './rehearse/store/stage.ts';
import { Writers } from './rehearse/store/writers.ts';
import type { Moment } from './store/boundary.ts';
import { atRest, ended, moveStruck, writableAt } from './store/move.ts';
import { parties } from './store/parties.ts';

const first = ['provisioned', 'copying', 'paired', 'held', 'moved', 'verified'];
/** With a pair that stands there is nothing to copy. */
const moments: readonly Moment[] = ['before', 'after'];
/** Less than the patience of a customer. */
const SERVED_MS = 45_000;

let shop: StoreShop;
let writers: Writers;
const since = new Date();

beforeAll(async () => {
  shop = await openStage({ kind: 'named', monoliths: 2 });
  writers = new Writers(shop, { perSecond: 10, patient: true });
  writers.start();
}, 180_000);
afterAll(async () => {
  await writers?.stop();
  await shop?.stop();
}, 120_000);

for (const party of parties)
  describe(`the ${party} is killed`, () => {
    for (const step of first)
      for (const moment of moments)
        test(`${moment} "${step}" is written`, { timeout: 600_000 }, async () => {
          const { server, pairedWith } = await atRest(shop);
          const to = server === 'shared' ? shop.other : 'shared';
          // What is copied once is not copied again: the pair begins anew for those steps.
          if (pairedWith !== null && ['provisioned', 'copying'].includes(step)) {
            await shop.admin('POST', '/admin/stores/orders/finish');
            await ended(shop);
          }
          const struck = await moveStruck(shop, to, party, { step, moment });
          // A service that is killed again and again waits ever longer to be started: the next fault is a fault of its own.
          await writers.untilServed(SERVED_MS);
          process.stdout.write(`${party} ${moment} ${step}: ${JSON.stringify(struck)}\n`);
          expect([await writableAt(shop, to), await writableAt(shop, server)]).toEqual([true, false]);
        });
  });

test('afterwards everything that was promised is there, once, and both servers have the same', {
  timeout: 600_000,
}, async () => {
  await writers.stop();
  await shop.admin('POST', '/admin/stores/orders/verify');
  const { move } = await ended(shop);
  expect(move.tables.filter(({ alike }) => !alike)).toEqual([]);
  expect(move.tables.length).toBeGreaterThan(10);
  expect(writers.failed).toEqual([]);
  expect(differences(await booksOf(shop, writers, since))).toEqual([]);
});
