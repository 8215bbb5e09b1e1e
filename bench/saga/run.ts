// `npm run bench:saga` (`-- --help` names the options): the checkout in both styles,
// in one process and with everything extracted, on both logs, alternating. Each measurement places as many orders
// as go (orders confirmed per second, CPU per order), then half as many a second (time from 202 to confirmed).
// Prints Markdown; the goals are judged at the end; --write puts it into bench/RESULTS.md.
import { cpus, release, totalmem } from 'node:os';
import { countOf, oneOf, readArguments } from '../../scripts/arguments.ts';
import type { SagaStyle } from '../../src/modules/orders/contract.ts';
import { type LogKind, modules, openStage, type Stage } from '../../test/saga-chaos/stage.ts';
import { writeSection } from '../results.ts';
import { boundOf } from './bound.ts';
import { type Buyers, buy, messages, settled } from './load.ts';
import { cpuOfTree } from './usage.ts';

const USAGE = `npm run bench:saga -- [options]
  --orders N                  of each measurement (3000)
  --rounds N                  of all of them, besides the warm-up (3)
  --log postgres|kafka|both   on which log (both)
  --quick                     for a look: 400 orders, one round
  --write                     puts the results into bench/RESULTS.md`;
const values = readArguments(USAGE, {
  orders: { type: 'string', default: '3000' },
  rounds: { type: 'string', default: '3' },
  log: { type: 'string', default: 'both' },
  quick: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
});
const orders = values.quick ? 400 : countOf('orders', values.orders, USAGE);
const rounds = values.quick ? 1 : countOf('rounds', values.rounds, USAGE);
const log = oneOf('log', values.log, ['postgres', 'kafka', 'both'], USAGE);
const logs: readonly LogKind[] = log === 'both' ? ['postgres', 'kafka'] : [log];
const styles: readonly SagaStyle[] = ['choreography', 'orchestration'];
const placements = ['in one process', 'all extracted'] as const;
const printed: string[] = [];
const print = (...lines: string[]) => {
  printed.push(...lines);
  process.stdout.write(`${lines.join('\n')}\n`);
};
const say = (line: string) => process.stderr.write(`${line}\n`);

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds of CPU an order: our processes, the database's, the broker's. */
  readonly cpu: number;
  readonly databaseCpu: number;
  readonly brokerCpu: number;
  readonly events: number;
  readonly commands: number;
}

const found = new Map<string, Measured[]>();
let bound = Number.NaN;
for (const log of logs) {
  const stage = await openStage(log);
  try {
    if (Number.isNaN(bound)) bound = await boundOf(stage.databaseUrl);
    const buyers: Buyers = {
      tokens: await customersOf(stage, 64),
      products: await Promise.all(Array.from({ length: 50 }, () => stage.product(1_000_000))),
    };
    for (let round = 0; round <= rounds; round += 1) {
      // Alternating: what drifts (tables grow, the machine warms) meets all alike. Round 0 warms up.
      for (const placement of round % 2 === 0 ? placements : [...placements].reverse()) {
        await moveAll(stage, placement);
        for (const style of round % 2 === 0 ? styles : [...styles].reverse()) {
          const one = await measure(stage, buyers, style, round === 0 ? Math.ceil(orders / 4) : orders);
          const name = `${log} | ${placement} | ${style}`;
          say(
            `${round === 0 ? 'warm-up ' : ''}${name}: ${one.perSecond.toFixed(0)}/s, ${one.cpu.toFixed(2)} ms CPU`,
          );
          if (round > 0) found.set(name, [...(found.get(name) ?? []), one]);
        }
      }
    }
  } finally {
    await stage.stop();
  }
}
report();
if (values.write) writeSection('saga', printed.join('\n'));

/** In waves: a host checks the passwords of fifty at once and refuses more. */
async function customersOf(stage: Stage, count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const wave = Math.min(16, count - tokens.length);
    tokens.push(...(await Promise.all(Array.from({ length: wave }, () => stage.customer()))));
  }
  return tokens;
}

async function moveAll(stage: Stage, placement: (typeof placements)[number]): Promise<void> {
  for (const module of modules)
    await stage.place(module, placement === 'all extracted' ? 'service' : 'in-process');
  // Work without a request follows a placement that has been stable for two seconds.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
}

async function measure(stage: Stage, buyers: Buyers, style: SagaStyle, count: number): Promise<Measured> {
  await stage.admin('PUT', '/admin/saga', { style });
  await settled(stage);
  const before = { ...usage(stage), ...(await messages(stage)) };
  const most = await buy(stage, buyers, { orders: count, inFlight: 48 });
  const after = { ...usage(stage), ...(await messages(stage)) };
  const each = (key: keyof typeof after) => (after[key]! - before[key]!) / count;
  const half = most.perSecond / 2;
  const calm = await buy(stage, buyers, {
    orders: Math.ceil(Math.min(count, half * 8)),
    inFlight: 48,
    perSecond: half,
  });
  return {
    perSecond: most.perSecond,
    p50: calm.p50,
    p99: calm.p99,
    cpu: each('cpu') / 1_000,
    databaseCpu: each('database') / 1_000,
    brokerCpu: each('broker') / 1_000,
    events: each('events'),
    commands: each('commands'),
  };
}

function usage({ host, databasePid, brokerPid }: Stage) {
  return {
    cpu: cpuOfTree(host.pid),
    database: cpuOfTree(databasePid),
    broker: brokerPid ? cpuOfTree(brokerPid) : 0,
  };
}

function report(): void {
  const of = (values: readonly number[], digits = 0) => {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted[Math.floor((sorted.length - 1) / 2)]!;
    return `${middle.toFixed(digits)} (${sorted[0]!.toFixed(digits)} to ${sorted.at(-1)!.toFixed(digits)})`;
  };
  const median = (name: string, key: keyof Measured) => {
    const sorted = (found.get(name) ?? []).map((one) => one[key]).sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  };
  const machine = `${cpus().length} x ${cpus()[0]!.model}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.version}`;
  print(
    `Machine: ${machine}. Command: \`npm run bench:saga -- --orders ${orders} --rounds ${rounds} --log ${values.log}\`.`,
    `${new Date().toISOString().slice(0, 10)}. Median of ${rounds} alternating rounds, and their range. fsync on; the load runs on the same machine.`,
    `The limit, seven transactions of one statement by raw pg and nothing else, on the same server: ${bound.toFixed(0)} orders/s.`,
    '',
    '| log | placement | style | confirmed/s | 202 to confirmed, p50 ms | p99 ms | CPU an order, ms | of the database | of the broker | events | commands |',
    '|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|',
  );
  const order = logs.flatMap((log) =>
    placements.flatMap((place) => styles.map((style) => `${log} | ${place} | ${style}`)),
  );
  for (const name of order) {
    const some = found.get(name)!;
    const column = (key: keyof Measured, digits?: number) =>
      of(
        some.map((one) => one[key]),
        digits,
      );
    const cpu = ['cpu', 'databaseCpu', 'brokerCpu']
      .map((key) => column(key as keyof Measured, 2))
      .join(' | ');
    const sent = `${median(name, 'events').toFixed(1)} | ${median(name, 'commands').toFixed(1)}`;
    print(`| ${name} | ${column('perSecond')} | ${column('p50')} | ${column('p99')} | ${cpu} | ${sent} |`);
  }
  if (!logs.includes('postgres')) return;
  print('', '| goal | measured | |', '|---|---:|---|');
  for (const style of styles) {
    const here = `postgres | in one process | ${style}`;
    const there = `postgres | all extracted | ${style}`;
    const goal = (what: string, value: number, met: boolean, digits = 0) =>
      print(`| ${style}: ${what} | ${value.toFixed(digits)} | ${met ? 'met' : 'MISSED'} |`);
    const rate = median(here, 'perSecond');
    goal('at least 300 confirmed/s in one process', rate, rate >= 300);
    print(`| ${style}: share of the limit | ${(rate / bound).toFixed(2)} | - |`);
    goal('p99 under 150 ms at half of the maximum', median(here, 'p99'), median(here, 'p99') < 150);
    const all = (name: string) => median(name, 'cpu') + median(name, 'databaseCpu');
    const ratio = all(there) / all(here);
    goal('all extracted at most 2x the CPU of an order', ratio, ratio <= 2, 2);
  }
}
