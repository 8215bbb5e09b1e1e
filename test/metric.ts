// One figure of a shop's monolith, as its internal port tells it under /metrics.
import type { Shop } from './shop.ts';

/** @param name how its line begins, with as many labels as tell it from others. */
export async function metricOf(shop: Shop, name: string): Promise<number> {
  const internal = /INTERNAL_PORT is open at (http:\S+?)"/.exec(shop.started.output())![1]!;
  const text = await (await fetch(`${internal}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(name));
  return Number(line?.split(' ').at(-1));
}
