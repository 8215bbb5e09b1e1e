// How long it takes until events go on after a relay's or a consumer's host was killed: the chaos run with
// these two faults alone.
import { campaign } from '../../test/chaos/campaign.ts';
import { median, ms, type Row, type Stage } from './stage.ts';

export async function recovery({ broker, sizes }: Stage): Promise<Row[]> {
  const log = broker ? 'kafka' : 'postgres';
  const outcome = await campaign({
    log,
    events: 200 * sizes.strikes,
    strikes: sizes.strikes,
    seed: 4,
    only: ["relay's host", "consumer's host"],
  });
  if (outcome.lost + outcome.doubled + outcome.inverted > 0) throw new Error(JSON.stringify(outcome));
  return outcome.recoveries.map(({ fault, times }) => {
    const goal = fault.includes('relay') ? 1_000 : 7_000;
    return {
      what: `recovery after ${fault} (${log})`,
      ours: `median ${ms(median(times))}, longest ${ms(Math.max(...times))}`,
      beside: '-',
      ratio: '-',
      runs: times,
      goal: `${goal / 1000} s at the median`,
      met: median(times) <= goal,
    };
  });
}
