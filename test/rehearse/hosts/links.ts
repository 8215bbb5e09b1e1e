// Links that fail: a host that is cut off, one that is slow, and what is lost one way alone.
import type { Mend } from './network.ts';
import type { Scenario, Stand } from './scenario.ts';

/** Longer than any time after which a host gives up another one. */
const LASTS_MS = 30_000;
/** A slow link carries heartbeats and some requests, each with a wait. */
const SLOW = { kbit: 256, waitMs: 5_000 };

async function whileStruck(stand: Stand, strike: () => Promise<Mend>): Promise<void> {
  const mend = await strike();
  stand.struck();
  try {
    await stand.watch(LASTS_MS);
  } finally {
    const lost = await mend();
    stand.mended();
    if (lost !== undefined) stand.say(`  ${lost} packets were lost`);
    if (lost === 0) stand.wrong('nothing was lost: the fault was none');
  }
}

/** Somebody else serves the module: what was under way there fails or waits, and nothing after it. */
const SERVED_AFTER_S = 20;
const RECOVERS_S = 20;

export const cutService: Scenario = {
  name: 'cut-service',
  about: 'one of two services of orders is cut off',
  servedAfterS: SERVED_AFTER_S,
  recoversS: RECOVERS_S,
  play: (stand) => whileStruck(stand, () => stand.shop.network.cut('orders-1')),
};

export const cutMonolith: Scenario = {
  name: 'cut-monolith',
  about: 'one of two monoliths is cut off, the one that services know',
  servedAfterS: SERVED_AFTER_S,
  recoversS: RECOVERS_S,
  play: (stand) => whileStruck(stand, () => stand.shop.network.cut('monolith')),
};

export const cutGateway: Scenario = {
  name: 'cut-gateway',
  about: 'one of two gateways is cut off from the database alone',
  servedAfterS: SERVED_AFTER_S,
  recoversS: RECOVERS_S,
  play: (stand) => whileStruck(stand, () => stand.shop.network.part('gateway-1', 'db')),
};

export const cutDatabase: Scenario = {
  name: 'cut-database',
  about: 'the database is cut off from everybody',
  recoversS: 40,
  play: (stand) => whileStruck(stand, () => stand.shop.network.cut('db')),
};

export const slowService: Scenario = {
  name: 'slow',
  about: `the link of one service of orders carries ${SLOW.kbit} kbit/s`,
  recoversS: RECOVERS_S,
  play: (stand) => whileStruck(stand, () => stand.shop.network.slow('orders-2', SLOW)),
};

/** What the first sends to the second is lost; the second's own packets arrive. */
const losing = (from: string, to: string): Scenario => ({
  name: `lost-${from.replace(/-\d$/, '')}-${to.replace(/-\d$/, '')}`,
  about: `what ${from} sends to ${to} is lost, and not the other way`,
  servedAfterS: SERVED_AFTER_S,
  recoversS: RECOVERS_S,
  play: (stand) => whileStruck(stand, () => stand.shop.network.lose(from, to)),
});

export const losses: readonly Scenario[] = [
  losing('db', 'orders-1'),
  losing('orders-1', 'db'),
  losing('orders-1', 'gateway-1'),
  losing('gateway-1', 'orders-1'),
];
