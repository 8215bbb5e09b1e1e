// `npm run bench:events [-- --full] [--only NAME]`: the event backbone beside its limits and its peers, every
// ratio from one run with both sides alternating. Short by default (4 minutes); --full for the sizes that the
// published numbers have. Prints Markdown.
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { openStage, type Row, type Sizes, type Stage } from './stage.ts';

const short: Sizes = { rows: 50_000, seconds: 6, pairs: 2, deliveries: 10_000, strikes: 2 };
const full: Sizes = { rows: 500_000, seconds: 30, pairs: 3, deliveries: 50_000, strikes: 10 };

const { values } = parseArgs({
  options: { full: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
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

const stage = await openStage(values.full ? full : short);
const stop = () => void stage.close().finally(() => process.exit(130));
process.once('SIGINT', stop);
process.once('SIGTERM', stop);

try {
  console.log(
    `${cpus().length} x ${cpus()[0]!.model}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.version}, ${values.full ? 'full' : 'short'} run\n`,
  );
  console.log('| what | Banyan | beside | ratio | goal |');
  console.log('|---|---|---|---:|---|');
  for (const { name, broker, run } of sections) {
    if (values.only && !values.only.includes(name)) continue;
    if (broker && !stage.broker) {
      console.error(`Left out: ${name} (${stage.missingBroker})`);
      continue;
    }
    const began = performance.now();
    const rows = await run(stage);
    for (const row of (Array.isArray(rows[0]) ? rows : [rows]) as Row[])
      console.log(`| ${row.join(' | ')} |`);
    console.error(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
} finally {
  await stage.close();
}
process.exit();
