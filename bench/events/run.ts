// `npm run bench:events` (`-- --help` names the options): the event backbone beside its limits and its peers,
// every ratio from one run with both sides alternating. About 12 minutes; --short for a look (its sizes are too
// small for the goals). Prints Markdown; --write puts it into bench/RESULTS.md, where the last one stood.
import { cpus, loadavg, release, totalmem } from 'node:os';
import { readArguments, refuse } from '../../scripts/arguments.ts';
import { writeSection } from '../results.ts';
import { line, openStage, type Row, type Sizes, type Stage } from './stage.ts';

const full: Sizes = { rows: 500_000, seconds: 20, pairs: 2, deliveries: 20_000, strikes: 5 };
const short: Sizes = { rows: 20_000, seconds: 4, pairs: 1, deliveries: 2_000, strikes: 1 };

const USAGE = `npm run bench:events -- [options]
  --short       for a look; its sizes are too small for the goals
  --only NAME   one section alone: relay-kafka, relay-postgres, latency, poison,
                writes, peers, recovery; may be said several times
  --write       puts the results into bench/RESULTS.md`;
const values = readArguments(USAGE, {
  short: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true },
});

interface Section {
  readonly name: string;
  readonly broker?: true;
  readonly run: (stage: Stage) => Promise<Row | Row[]>;
}

// Each is loaded when its turn comes: the peers are installed by `npm ci --prefix bench` alone.
const sections: readonly Section[] = [
  {
    name: 'relay-kafka',
    broker: true,
    run: async (stage) => (await import('./relay.ts')).relayToKafka(stage),
  },
  { name: 'relay-postgres', run: async (stage) => (await import('./relay.ts')).relayToPostgres(stage) },
  { name: 'latency', broker: true, run: async (stage) => (await import('./latency.ts')).latencies(stage) },
  { name: 'poison', run: async (stage) => (await import('./latency.ts')).poison(stage) },
  { name: 'writes', run: async (stage) => (await import('./writes.ts')).writes(stage) },
  { name: 'peers', run: async (stage) => (await import('./peers.ts')).peers(stage) },
  { name: 'recovery', run: async (stage) => (await import('./recovery.ts')).recovery(stage) },
];

const unknown = values.only?.find((name) => !sections.some((section) => section.name === name));
if (unknown) refuse(`There is no section "${unknown}".`, USAGE);

const printed: string[] = [];
const print = (text: string) => {
  console.log(text);
  printed.push(text);
};
const load = () => loadavg()[0]!.toFixed(1);

const stage = await openStage(values.short ? short : full);
const stop = () => void stage.close().finally(() => process.exit(130));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

let failed = 0;
try {
  const asked = [
    'npm run bench:events',
    ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : []),
  ];
  print(
    `\`${asked.join(' ')}\`, ${new Date().toISOString().slice(0, 16)}Z, ${cpus().length} x ${cpus()[0]!.model}, ` +
      `${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.version}; ` +
      `broker and database on the same cores; load average before: ${load()}\n`,
  );
  print('| what | Banyan | beside | ratio | repeats: spread | goal |');
  print('|---|---|---|---:|---|---|');
  for (const { name, broker, run } of sections) {
    if (values.only && !values.only.includes(name)) continue;
    if (broker && !stage.broker) {
      console.error(`Left out: ${name} (${stage.missingBroker})`);
      continue;
    }
    const began = performance.now();
    try {
      for (const row of [await run(stage)].flat()) print(line(row));
    } catch (error) {
      // The others are still worth their time.
      failed += 1;
      print(`| ${name} | did not come to its end | - | - | - | - |`);
      console.error(error);
    }
    console.error(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s, load ${load()}`);
  }
  if (values.write) writeSection('events', printed.join('\n'));
} finally {
  await stage.close();
}
process.exit(failed === 0 ? 0 : 1);
