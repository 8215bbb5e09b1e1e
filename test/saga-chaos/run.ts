// `npm run chaos -- --saga [--orders 5000] [--log postgres|kafka|both] [--seed N] [--rate N]`: see campaign.ts. Progress
// goes to stderr, the result to stdout; the exit code is 1 unless every order is final and the sums hold.
import { parseArgs } from 'node:util';
import { campaign } from './campaign.ts';
import type { LogKind } from './stage.ts';

const { values } = parseArgs({
  options: {
    saga: { type: 'boolean' },
    orders: { type: 'string', default: '5000' },
    log: { type: 'string', default: 'postgres' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    rate: { type: 'string', default: '25' },
  },
});
const [orders, seed, rate] = [wholeNumber('orders'), wholeNumber('seed'), wholeNumber('rate')];
if (!['postgres', 'kafka', 'both'].includes(values.log)) {
  console.error(`--log is postgres, kafka or both, not "${values.log}"`);
  process.exit(2);
}
const logs: LogKind[] = values.log === 'both' ? ['kafka', 'postgres'] : [values.log as LogKind];

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => stop.abort(new Error('The run was interrupted')));

let wrong = 0;
for (const log of logs) {
  const say = (line: string) => console.error(line);
  const outcome = await campaign({ log, orders, seed, rate, say, signal: stop.signal });
  const { flips, styleChanges, kills, seconds, slowest } = outcome;
  console.log(
    `\n${log}: ${orders} orders in ${seconds.toFixed(0)} s, seed ${seed}: ${flips} flips, ${styleChanges} changes of style, ${kills} kills; the slowest order took ${slowest.toFixed(1)} s\n`,
  );
  for (const [what, count] of Object.entries(outcome.orders))
    console.log(`${String(count).padStart(6)}  ${what}`);
  for (const sentence of outcome.wrong) console.log(`WRONG  ${sentence}`);
  wrong += outcome.wrong.length;
}
console.log(wrong === 0 ? '\nevery order is final, the sums hold' : `\n${wrong} things do not agree`);
process.exit(wrong === 0 ? 0 : 1);

function wholeNumber(name: 'orders' | 'seed' | 'rate'): number {
  if (/^[1-9]\d{0,8}$/.test(values[name])) return Number(values[name]);
  console.error(`--${name} is a whole number above 0, not "${values[name]}"`);
  process.exit(2);
}
