// Real processes, a real PostgreSQL and a real Kafka broker, struck by eight faults while events flow. Progress
// goes to stderr, the results to stdout; the last line is `lost N doubled N inverted N`, and the exit code 1
// unless all three are 0. Ctrl-C ends every process that it started.
import { readArguments, refuse } from '../../scripts/arguments.ts';
import { campaign, type Outcome, type Recovery, seconds } from './campaign.ts';
import type { LogKind } from './ground.ts';

// Orders and their sagas instead of events: a run of its own, with its own options.
if (process.argv.includes('--saga')) await import('../saga-chaos/run.ts');

const usage = `npm run chaos -- [options]
  --events N                  how many events (50000)
  --log postgres|kafka|both   on which log (both)
  --seed N                    of the schedule (a random one; it is printed)
  --strikes N                 of each fault (one per 2,500 events)
  --only FAULT                this fault alone; may be said several times
  --verbose                   what the hosts log, too
  --saga                      orders and their sagas instead of events; its
                              options: npm run chaos -- --saga --help`;

const values = readArguments(usage, {
  events: { type: 'string', default: '50000' },
  log: { type: 'string', default: 'both' },
  seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
  strikes: { type: 'string' },
  verbose: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true },
});
const events = wholeNumber('events', values.events);
const seed = wholeNumber('seed', values.seed);
// Each fault 20 times at 50,000 events.
const strikes = values.strikes
  ? wholeNumber('strikes', values.strikes)
  : Math.max(1, Math.ceil(events / 2_500));
if (!['postgres', 'kafka', 'both'].includes(values.log))
  refuse(`--log is postgres, kafka or both, not "${values.log}".`, usage);
const logs: LogKind[] = values.log === 'both' ? ['kafka', 'postgres'] : [values.log as LogKind];

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) return;
    console.error(`${name}: ending every process of the run…`);
    stop.abort(new Error('The run was interrupted'));
  });
}

const sum = { lost: 0, doubled: 0, inverted: 0 };
try {
  for (const log of logs) {
    const outcome = await campaign({
      log,
      events,
      strikes,
      seed,
      only: values.only,
      verbose: values.verbose,
      say: (line) => console.error(line),
      signal: stop.signal,
    });
    print(log, outcome);
    sum.lost += outcome.lost;
    sum.doubled += outcome.doubled;
    sum.inverted += outcome.inverted;
  }
  console.log(`lost ${sum.lost} doubled ${sum.doubled} inverted ${sum.inverted}`);
  process.exitCode = sum.lost + sum.doubled + sum.inverted === 0 ? 0 : 1;
} catch (error) {
  console.error(stop.signal.aborted ? 'Interrupted: every process of the run has ended.' : error);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
process.exit();

function print(
  log: LogKind,
  { recoveries, events: committed, seconds: took, lost, doubled, inverted }: Outcome,
): void {
  console.log(
    `\n${log}: ${committed} events committed, ${2 * committed} effects (there and back), ${took.toFixed(0)} s, seed ${seed}\n`,
  );
  console.log('| fault | struck | recovered: min | median | max |');
  console.log('|---|---:|---:|---:|---:|');
  for (const one of recoveries) console.log(row(one));
  console.log(`\n${log}: lost ${lost} doubled ${doubled} inverted ${inverted}\n`);
}

function row({ fault, times }: Recovery): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => seconds(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return `| ${fault} | ${times.length} | ${at(0)} | ${at(0.5)} | ${at(1)} |`;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) refuse(`--${name} is a whole number, not "${text}".`, usage);
  return Number(text);
}
