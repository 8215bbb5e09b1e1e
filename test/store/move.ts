// One move of the store of orders, begun by the admin API and watched until it has come to its end, whoever is killed
// meanwhile; and what must be true of every store then.
import { setTimeout as pause } from 'node:timers/promises';
import type { Move, Store } from '../../src/banyan/servers/desk/contract.ts';
import type { StoreShop } from '../rehearse/store/stage.ts';
import { type Boundary, meet, untilAnswered } from './boundary.ts';
import { kill, type Party } from './parties.ts';

/** The 15 s in which a kill comes to its end, five pauses that come to nothing, and what a busy machine adds. */
const WITHIN_MS = 300_000;
const AGAIN_MS = 100;
/** On a machine that is much too busy for a pause of 300 ms a move is asked for again, as a person would. */
const TRIES = 3;

export const storeOf = (shop: StoreShop, module = 'orders'): Promise<Store> =>
  untilAnswered(() => shop.admin('GET', `/admin/stores/${module}`), WITHIN_MS);

export async function begin(shop: StoreShop, to: string, module = 'orders'): Promise<void> {
  await untilAnswered(() => shop.admin('PUT', `/admin/stores/${module}`, { server: to }), WITHIN_MS);
}

/** Until it is there. */
export async function moved(shop: StoreShop, to: string, module = 'orders'): Promise<void> {
  for (let n = 0; n < TRIES; n += 1) {
    if ((await storeOf(shop, module)).server === to) return;
    await begin(shop, to, module);
    const { server, move } = await ended(shop, module);
    if (server === to) return;
    if (n === TRIES - 1) throw new Error(`${module} never came to ${to}: ${JSON.stringify(move)}`);
  }
}

/** Until what is being done to it has come to its end. */
export async function ended(shop: StoreShop, module = 'orders'): Promise<Store & { readonly move: Move }> {
  return (await atRest(shop, module, ({ move }) => move?.endedAt != null)) as Store & { readonly move: Move };
}

/** Until nothing is being done to it, if ever anything was: what a test before this one left. */
export async function atRest(
  shop: StoreShop,
  module = 'orders',
  rests = ({ move }: Store) => move === null || move.endedAt != null,
): Promise<Store> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    const store = await storeOf(shop, module);
    if (rests(store)) return store;
    if (Date.now() > deadline)
      throw new Error(`the move is not over after ${WITHIN_MS / 1000} s: ${JSON.stringify(store.move)}`);
    await pause(AGAIN_MS);
  }
}

export interface Struck {
  readonly state: string;
  readonly attempts: number;
  /** From the kill until nothing was being done any more. */
  readonly seconds: number;
}

/** A move during which a party is killed at a boundary. Resolves when everything is well again, and the store is `to`. */
export async function moveStruck(
  shop: StoreShop,
  to: string,
  party: Party,
  boundary: Boundary,
): Promise<Struck> {
  const { server: source } = await storeOf(shop);
  const { met, callOff } = await meet(shop.shared, boundary);
  let bringBack = async () => {};
  let began = performance.now();
  try {
    await untilMet(shop, to, met);
    began = performance.now();
    bringBack = await kill(shop, party, { source, target: to });
  } finally {
    await callOff();
    await bringBack();
  }
  const { move, server } = await ended(shop);
  const struck = { state: move.state, attempts: move.attempt, seconds: (performance.now() - began) / 1000 };
  // Rolled back is a good end, too; a person who asks again gets there.
  if (server !== to) await moved(shop, to);
  return struck;
}

/** A move that was rolled back before it came there is asked for again. */
async function untilMet(shop: StoreShop, to: string, met: Promise<void>): Promise<void> {
  let there = false;
  const meeting = met.then(() => {
    there = true;
  });
  for (let n = 0; n < TRIES && !there; n += 1) {
    await begin(shop, to);
    await Promise.race([meeting, ended(shop)]);
  }
  if (!there) throw new Error('the move never came there');
}

/**
 * Whether the module's role may write at a server: it may at one of them, and that is the owner. One that was killed may come
 * back after the move is over.
 */
export async function writableAt(shop: StoreShop, server: string): Promise<boolean> {
  const ask = () =>
    shop.serverOf(server).query<{ may: boolean }>(
      `SELECT coalesce(bool_or(has_table_privilege('banyan_orders', c.oid, 'INSERT, UPDATE, DELETE')), false) AS may
       FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'orders' AND relkind = 'r'`,
    );
  const [row] = await untilAnswered(ask);
  return row!.may;
}
