// Two checkouts of Banyan in one alternating run, with a peer beside them where one is named: what a change is worth.
//   node bench/peers/pair.ts --before ../banyan-before [--shape apart] [--beside NestJS] [--rounds 6] [--seconds 2]
// The other checkout needs its node_modules. Prints medians and the ratio by round; writes nothing.
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, type Measured, type Running } from './load.ts';
import { stop } from './processes.ts';
import { openStage, startVariant } from './stage.ts';
import { said, spread } from './tables.ts';
import { type Shape, type Variant, variants } from './variants.ts';

const { values: options } = parseArgs({
  options: {
    before: { type: 'string' },
    shape: { type: 'string', default: 'in one process' },
    beside: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '2' },
    stored: { type: 'boolean', default: false },
  },
});
if (!options.before) throw new Error('--before <folder>: the checkout to compare with.');
const shape = options.shape as Shape;
const here = fileURLToPath(new URL('../..', import.meta.url));
const there = resolve(options.before);

/** The same commands, in the other checkout. */
const elsewhere = (variant: Variant): Variant => ({
  ...variant,
  peer: 'before',
  commands: async (...given) =>
    (await variant.commands(...given)).map(({ entry, ...rest }) => ({
      ...rest,
      entry: join(there, relative(here, entry)),
    })),
});

const banyan = variants[0]!;
const wanted = [
  elsewhere(banyan),
  { ...banyan, peer: 'after' },
  ...variants.filter(({ peer }) => options.beside.includes(peer)),
];
const stage = options.stored ? await openStage() : undefined;
const running: Running[] = [];
try {
  for (const variant of wanted) running.push(await startVariant(variant, shape, stage?.databaseUrl));
  for (const one of running) await load(one, 2);
  const found = new Map<string, Measured[]>(running.map(({ peer }) => [peer, []]));
  for (let round = 0; round < Number(options.rounds); round += 1)
    for (const one of round % 2 === 0 ? running : [...running].reverse())
      found.get(one.peer)!.push(await load(one, Number(options.seconds)));
  const before = found.get('before')!;
  for (const [peer, rounds] of found) {
    const of = (pick: (one: Measured) => number, digits: number) => said(spread(rounds.map(pick)), digits);
    const ratio = spread(rounds.map(({ perSecond }, round) => perSecond / before[round]!.perSecond));
    process.stdout.write(
      `${peer.padEnd(14)} ${of((one) => one.perSecond, 0)} /s, CPU ${of((one) => one.cpu, 0)} us, user ${of((one) => one.user, 1)} us, p99 ${of((one) => one.p99, 1)} ms, over before ${said(ratio)}, generator ${of((one) => one.generator, 2)}\n`,
    );
  }
} finally {
  await stop(running.flatMap(({ processes }) => processes));
  await stage?.close();
}
process.exit(0);
