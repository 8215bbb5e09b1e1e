// `npm run chaos -- --saga` (`--help` names the options): see campaign.ts. Progress
// goes to stderr, the result to stdout; the exit code is 1 unless every order is final and the sums hold.
import { countOf, oneOf, readArguments } from '../../scripts/arguments.ts';
import { campaign } from './campaign.ts';
import type { LogKind } from './stage.ts';

const usage = `npm run chaos -- --saga [options]
  --orders N                  how many orders (5000)
  --rate N                    of them a second (25)
  --log postgres|kafka|both   on which log (postgres)
  --seed N                    of the schedule (a random one; it is printed)`;
const values = readArguments(usage, {
  saga: { type: 'boolean' },
  orders: { type: 'string', default: '5000' },
  log: { type: 'string', default: 'postgres' },
  seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
  rate: { type: 'string', default: '25' },
});
const orders = countOf('orders', values.orders, usage);
const seed = countOf('seed', values.seed, usage);
const rate = countOf('rate', values.rate, usage);
const chosen = oneOf('log', values.log, ['postgres', 'kafka', 'both'], usage);
const logs: readonly LogKind[] = chosen === 'both' ? ['kafka', 'postgres'] : [chosen];

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => stop.abort(new Error('The run was interrupted')));

let wrong = 0;
for (const log of logs) {
  const say = (line: string) => console.error(line);
  const outcome = await campaign({ log, orders, seed, rate, say, signal: stop.signal });
  const { flips, shares, styleChanges, kills, seconds, slowest } = outcome;
  const { ladders, byHand, mirrors, judgesKilled, judged, moves } = outcome;
  console.log(
    `\n${log}: ${orders} orders in ${seconds.toFixed(0)} s, seed ${seed}: ${flips} flips, ${shares} changes of a share, ${styleChanges} changes of style, ${kills} kills; the slowest order took ${slowest.toFixed(1)} s`,
  );
  console.log(
    `${ladders} ladders, ${judged.promoted} times up and ${judged.demoted} times down on evidence, ${judged.ended} to the end, ${byHand} words by hand, ${mirrors} placements with a mirror, the judge killed ${judgesKilled} times; stores moved ${moves.moved} times, ${moves.rolledBack} moves rolled back\n`,
  );
  for (const [what, count] of Object.entries(outcome.orders))
    console.log(`${String(count).padStart(6)}  ${what}`);
  for (const sentence of outcome.wrong) console.log(`WRONG  ${sentence}`);
  wrong += outcome.wrong.length;
}
console.log(wrong === 0 ? '\nevery order is final, the sums hold' : `\n${wrong} things do not agree`);
process.exit(wrong === 0 ? 0 : 1);
