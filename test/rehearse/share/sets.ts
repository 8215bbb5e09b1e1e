// The first piece: the same keys at 1, 10, 50, 10, 0 and 100 percent of both modules. Each key is on one side, by every
// way in and at every host; whoever is in at a share is in at every larger one; as many are in as chance allows, and who
// is in one module's share says nothing of the other's; the refs of orders go where the key of the order says.
import type { Random } from '../../chaos/random.ts';
import { askBy, inWords, listing, looking, ordering, reading, type Seen } from './asks.ts';
import { type Count, countedAs } from './counters.ts';
import { bounds, MODULES, type SharedModule, sideOfKey } from './expected.ts';
import type { Findings } from './findings.ts';
import type { Key, Keys } from './keys.ts';
import type { RehearsedShop } from './stage.ts';

export interface Piece {
  readonly shop: RehearsedShop;
  readonly keys: Keys;
  readonly random: Random;
  readonly found: Findings;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface SetRow extends Readonly<Record<SharedModule, Count>> {
  readonly percent: number;
  /** Users in the shares of both. */
  readonly both: number;
  /** Refs of orders to catalog, by the counters of the hosts. */
  readonly refs: Count;
  readonly answers: number;
}

type Inside = Record<SharedModule, Set<string>>;

const PERCENTS = [1, 10, 50, 10, 0, 100];
/** Keys asked for at a time, by all ways at once: more than can be done in time is shed. */
const AT_ONCE = 4;

export async function playSets(piece: Piece): Promise<SetRow[]> {
  const rows: SetRow[] = [];
  const earlier: { percent: number; inside: Inside }[] = [];
  for (const percent of PERCENTS) {
    for (const module of MODULES) await shareNow(piece, module, percent);
    const seen = await askAll(piece);
    const refs = await placeOrders(piece, percent, seen);
    const inside = sidesOf(piece, percent, seen);
    for (const one of earlier) comparable(piece, { percent, inside }, one);
    earlier.push({ percent, inside });
    const row = rowOf(piece, percent, inside, refs, seen.length);
    rows.push(row);
    piece.say(
      `sets: at ${percent} percent ${row.catalog.inside} of ${row.catalog.of} keys are in catalog's share`,
    );
  }
  return rows;
}

/** Until every host has it. */
export async function shareNow(
  { shop, found }: Pick<Piece, 'shop' | 'found'>,
  module: SharedModule,
  percent: number,
): Promise<void> {
  // A host that has not confirmed after 2 s has when the same is asked for again.
  for (let attempt = 1; attempt <= 10; attempt += 1) if (!(await shop.share(module, percent)).lagging) return;
  found.add('a change that no host confirms', `${module} to ${percent} percent`);
}

async function askAll({ shop, keys, signal }: Piece): Promise<Seen[]> {
  const seen: Seen[] = [];
  const left = [...keys.users, ...keys.others];
  const some = async () => {
    for (let key = left.pop(); key; key = left.pop()) {
      signal.throwIfAborted();
      const ways = key.kind === 'user' ? [reading, listing, looking] : [reading, listing];
      const asked = shop.entrances.flatMap((entrance) =>
        ways.map((way) => askBy(shop, way, key as Key, entrance)),
      );
      seen.push(...(await Promise.all(asked)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  return seen;
}

/** One of each customer, added to what was seen. Their refs are counted by the hosts that made them. */
async function placeOrders({ shop, keys, found }: Piece, percent: number, seen: Seen[]): Promise<Count> {
  const { customers } = keys;
  const before = await shop.counted();
  for (let n = 0; n < customers.length; n += AT_ONCE) {
    const some = customers.slice(n, n + AT_ONCE);
    const entrance = shop.entrances[(n / AT_ONCE) % shop.entrances.length]!;
    seen.push(...(await Promise.all(some.map((key) => askBy(shop, ordering, key, entrance)))));
  }
  const right = customers.filter(({ key }) => sideOfKey('catalog', percent, key) === 'service').length;
  const refs = {
    module: 'catalog',
    operation: 'priceProducts',
    least: right,
    most: right,
    of: customers.length,
  } as const;
  return countedAs(shop, before, refs, found, `at ${percent} percent`);
}

/** Who is in, once every answer to a key says the same and the right thing. */
function sidesOf({ found }: Piece, percent: number, seen: readonly Seen[]): Inside {
  const inside: Inside = { catalog: new Set(), orders: new Set() };
  const first = new Map<string, Seen>();
  for (const one of seen) {
    const { way, key, side } = one;
    if (side === undefined) {
      found.add('failed', inWords(one));
      continue;
    }
    if (side === 'service') inside[way.module].add(key.key);
    if (side !== sideOfKey(way.module, percent, key.key))
      found.add('on the wrong side', `at ${percent} percent ${inWords(one)}`);
    const name = `${way.module} ${key.key}`;
    const other = first.get(name) ?? one;
    first.set(name, other);
    if (other.side !== side)
      found.add('one key on two sides', `at ${percent} percent ${inWords(other)} and ${inWords(one)}`);
  }
  return inside;
}

/** Of two shares the larger one has everybody of the smaller. */
function comparable({ found }: Piece, ...two: { percent: number; inside: Inside }[]): void {
  const [small, large] = two.toSorted((a, b) => a.percent - b.percent);
  for (const module of MODULES) {
    const [fewer, most] = [small!.inside[module], large!.inside[module]];
    const lost = [...fewer].filter((key) => !most.has(key));
    const more = small!.percent === large!.percent ? [...most].filter((key) => !fewer.has(key)) : [];
    for (const key of [...lost, ...more])
      found.add(
        'moved back',
        `${module}, ${key}: in at ${small!.percent} percent and not at ${large!.percent}`,
      );
  }
}

function rowOf(
  { keys, found }: Piece,
  percent: number,
  inside: Inside,
  refs: Count,
  answers: number,
): SetRow {
  const chance = percent / 100;
  const within = (what: string, count: number, of: number, p: number) => {
    const [least, most] = bounds(of, p);
    if (count < least || count > most)
      found.add(
        'not what chance allows',
        `at ${percent} percent ${count} of ${of} ${what}: ${least} to ${most}`,
      );
  };
  const { users, customers, others } = keys;
  const orders = { inside: inside.orders.size, of: users.length + customers.length };
  const asked = new Set([...users, ...others].map(({ key }) => key));
  const catalog = { inside: [...asked].filter((key) => inside.catalog.has(key)).length, of: asked.size };
  const both = users.filter(({ key }) => inside.catalog.has(key) && inside.orders.has(key)).length;
  within("are in catalog's share", catalog.inside, catalog.of, chance);
  within("are in orders' share", orders.inside, orders.of, chance);
  within('are in both', both, users.length, chance * chance);
  return { percent, catalog, orders, both, refs, answers };
}
