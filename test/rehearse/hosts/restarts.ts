// Restarts under load, of which nobody may notice anything: every host in turn, and one that is told to end while the one that
// follows it starts.
import type { Scenario, Stand } from './scenario.ts';
import { GATEWAYS, MONOLITHS, SERVICES } from './stage.ts';

/** Between two hosts, as whoever rolls them waits for each. */
const BETWEEN_MS = 1_000;

/** Another process with the next free number comes first; then the old one is told to end. */
async function replace({ shop, say }: Stand, id: string, next: string): Promise<void> {
  await shop.start(next);
  await shop.end(id);
  say(`  ${id} was replaced by ${next}`);
}

export const rolling: Scenario = {
  name: 'rolling',
  about: 'every host is restarted in turn: services, monoliths, gateways',
  unnoticed: true,
  recoversS: 0,
  async play(stand) {
    const { shop, say } = stand;
    stand.struck();
    for (const id of SERVICES) {
      const spare = id.replace(/\d+$/, (n) => String(Number(n) + 2));
      await replace(stand, id, spare);
      await stand.watch(BETWEEN_MS);
      await replace(stand, spare, id);
      await stand.watch(BETWEEN_MS);
    }
    for (const id of [...MONOLITHS, ...GATEWAYS]) {
      await shop.end(id);
      await shop.start(id);
      say(`  ${id} was restarted`);
      await stand.watch(BETWEEN_MS);
    }
    stand.mended();
  },
};

export const swap: Scenario = {
  name: 'swap',
  about: 'SIGTERM to a service while the one of the same id starts elsewhere',
  unnoticed: true,
  recoversS: 0,
  async play(stand) {
    const { shop } = stand;
    stand.struck();
    for (let round = 0; round < 4; round += 1) {
      const ended = shop.end('orders-1');
      await shop.start('orders-1', { on: round % 2 === 0 ? 'orders-spare' : 'orders-1' });
      await ended;
      await stand.watch(BETWEEN_MS);
    }
    stand.mended();
  },
};
