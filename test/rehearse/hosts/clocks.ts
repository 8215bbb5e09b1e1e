// Clocks that are off, as on a machine without NTP. By a little the doctor warns; by more than hosts forgive it is an error. Customers
// feel neither, whether the host is still let in (tokens live for five minutes) or left alone.
import { machineClock } from './machine-clock.ts';
import type { Scenario, Stand } from './scenario.ts';

/** Gateways ask every host once meanwhile whether it lets them in. */
const WATCH_MS = 20_000;
const RETURNS_MS = 12_000;

interface Item {
  readonly check: string;
  readonly subject: string;
  readonly level: string;
}

async function examine({ shop, wrong, say }: Stand, id: string, seconds: number, level: string) {
  const { items } = (await shop.admin('GET', '/admin/doctor')) as { items: Item[] };
  const found = items.find(({ check, subject }) => check === 'clock' && subject === id);
  say(`  ${id} at ${seconds} s: the doctor says ${found?.level ?? 'nothing'}`);
  if (found?.level !== level)
    wrong(`The doctor says ${found?.level ?? 'nothing'} of a clock of ${id} that is ${seconds} s off`);
}

/** By so much the doctor warns; by so much hosts refuse each other. */
const [LITTLE_S, FAR_S] = [8, 120];

const off = (name: string, id: string, sign: 1 | -1): Scenario => ({
  name,
  about: `the clock of ${id} is ${LITTLE_S}, then ${FAR_S} s ${sign > 0 ? 'ahead' : 'behind'}`,
  needsClock: true,
  servedAfterS: WATCH_MS / 1_000,
  recoversS: 20,
  async play(stand) {
    const { shop } = stand;
    const clock = machineClock();
    try {
      await shop.end(id);
      await shop.start(id, { env: clock.env });
      clock.set(sign * LITTLE_S);
      await stand.watch(2_000);
      await examine(stand, id, sign * LITTLE_S, 'warning');
      clock.set(sign * FAR_S);
      stand.struck();
      await stand.watch(WATCH_MS);
      await examine(stand, id, sign * FAR_S, 'error');
      clock.set(0);
      stand.mended();
      await stand.watch(RETURNS_MS);
      await examine(stand, id, 0, 'ok');
      await shop.end(id);
      await shop.start(id);
    } finally {
      clock.close();
    }
  },
});

export const clocks: readonly Scenario[] = [
  off('clock-ahead', 'orders-2', 1),
  off('clock-behind', 'orders-2', -1),
  off('clock-monolith', 'monolith-b', 1),
];
