// How often `banyan compare` finds a difference where there is none. First N runs of A against A; then all their rounds
// drawn again into pairs, 20,000 times, and judged by the very functions that judge a comparison.
//   node_modules/.bin/node bench/compare/self.ts --runs 20 > bench/RESULTS-compare.md
//   … --from DIR    judges the reports that are in DIR, and runs nothing
// Each run takes under a minute. The machine should have nothing else to do.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALPHA, widened } from '../../compare/figures.ts';
import type { Report, Trial } from '../../compare/format/report.ts';
import { randomOf } from '../../compare/load/random.ts';
import { paces } from '../../compare/options.ts';
import { holm, median, signTest } from '../../compare/statistics/intervals.ts';
import { countOf, readArguments } from '../../scripts/arguments.ts';

const USAGE = `node bench/compare/self.ts [options]
  --runs N        how many runs (20)
  --from FOLDER   judges the reports that are there, and runs nothing`;
const values = readArguments(USAGE, {
  runs: { type: 'string', default: '20' },
  from: { type: 'string' },
});
const runs = countOf('runs', values.runs, USAGE);

const DRAWS = 20_000;
const PAIRS = 8;
const read: Readonly<Record<string, (round: Trial) => number | null>> = {
  cpu: (one) => one.cpuSecondsPer1000,
  p50: (one) => one.p50Ms,
  p99: (one) => one.p99Ms,
  memory: (one) => one.memoryBytes,
};

const folder = values.from ?? mkdtempSync(join(tmpdir(), 'compare-self-'));
if (values.from === undefined) play(runs, folder);
const reports = readdirSync(folder)
  .sort()
  .map((name) => join(folder, name, 'report.json'))
  .filter(existsSync)
  .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report);
print(reports);

function play(runs: number, into: string): void {
  const banyan = fileURLToPath(new URL('../../bin/banyan.mjs', import.meta.url));
  for (let run = 1; run <= runs; run++) {
    const out = join(into, String(run).padStart(3, '0'));
    mkdirSync(out);
    process.stderr.write(`run ${run} of ${runs}\n`);
    const words = [banyan, 'compare', '--quick', '--self', '--seed', String(run), '--out', out, '--json'];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 2 ** 26 });
    if (status !== 0) throw new Error(`run ${run} failed: ${stderr}`);
  }
}

function print(all: readonly Report[]): void {
  if (all.length === 0) throw new Error(`there is no report in ${folder}`);
  const { machine, commit, versions } = all[0]!;
  const primary = (report: Report) => report.figures.filter((one) => one.primary);
  const found = (report: Report) => primary(report).filter((one) => one.verdict.startsWith('b-'));
  const wrong = all.filter((report) => found(report).length > 0);
  const foreign = all.flatMap(({ rounds }) => rounds.flatMap((one) => one.foreignCpuShare ?? []));
  const lines = [
    '# A against A: how often a difference is found where there is none',
    '',
    `${machine.cores} x ${machine.cpu}, ${machine.system}, Node ${versions.node}, commit ${commit.hash?.slice(0, 8) ?? 'unknown'}.`,
    `Other programs used ${percent(median(foreign.length > 0 ? foreign : [0]))} of the machine (median over rounds).`,
    '',
    `## ${all.length} runs of \`banyan compare --quick --self\``,
    '',
    `A difference in at least one of the four primary figures: ${wrong.length} of ${all.length} (${percent(wrong.length / all.length)}).`,
    '',
    '| figure | told | found a difference | median ratio | furthest from 1 |',
    '|---|---|---|---|---|',
    ...Object.keys(read).map((id) => figureRow(id, all)),
    '',
    `## ${DRAWS.toLocaleString('en-US')} draws of ${PAIRS} pairs from the recorded rounds`,
    '',
    'Each draw takes the rounds of one run, both sides alike, in a new order, pairs them up, and judges the four figures.',
    '',
    '| judged by | draws with a difference in at least one figure |',
    '|---|---|',
    ...draws(all).map(([how, share]) => `| ${how} | ${percent(share)} |`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function figureRow(id: string, all: readonly Report[]): string {
  const figures = all.flatMap(({ figures }) =>
    figures.filter((one) => one.id === id && one.verdict !== 'n/a'),
  );
  const ratios = figures.map(({ ratio }) => ratio!.median);
  const wrong = figures.filter(({ verdict }) => verdict.startsWith('b-')).length;
  const furthest = ratios.reduce((most, one) => (Math.abs(one - 1) > Math.abs(most - 1) ? one : most), 1);
  return `| ${id} | ${figures.length} | ${wrong} | ${ratios.length > 0 ? median(ratios).toFixed(3) : 'n/a'} | ${furthest.toFixed(3)} |`;
}

type Judge = (ratios: readonly (readonly number[])[]) => boolean;

function draws(all: readonly Report[]): [string, number][] {
  const random = randomOf(20_26);
  const allowance = paces.quick.allowance;
  const judges: [string, Judge][] = [
    [
      `sign test and Holm, ${allowance * 100} % allowed between two starts (as --quick does)`,
      byOrder(allowance),
    ],
    ['sign test and Holm, nothing allowed (as with new processes for every pair)', byOrder(0)],
    ['95 % intervals by order statistics, not corrected for being four', uncorrected],
    ['95 % intervals of a bootstrapped median (percentiles of 200), not corrected', bootstrapped(random)],
  ];
  const wrong = judges.map(() => 0);
  for (let draw = 0; draw < DRAWS; draw++) {
    const { rounds } = all[Math.floor(random() * all.length)]!;
    const mixed = shuffled(
      rounds.filter((one) => one.counted),
      random,
    ).slice(0, 2 * PAIRS);
    const ratios = Object.values(read).flatMap((figure) => {
      const seen = mixed.map(figure);
      if (seen.length < 2 * PAIRS || seen.some((one) => one === null)) return [];
      return [Array.from({ length: PAIRS }, (_, index) => seen[2 * index + 1]! / seen[2 * index]!)];
    });
    // The slow judge sees a tenth of the draws.
    for (const [index, [, judge]] of judges.entries())
      if ((index < 3 || draw % 10 === 0) && judge(ratios)) wrong[index]! += index < 3 ? 1 : 10;
  }
  return judges.map(([how], index) => [how, wrong[index]! / DRAWS]);
}

function byOrder(allowance: number): Judge {
  return (ratios) =>
    holm(ratios.map((some) => signTest(widened(some, allowance), 1))).some(({ p }) => p <= ALPHA);
}

function uncorrected(ratios: Parameters<Judge>[0]): boolean {
  return ratios.some((some) => signTest(some, 1) <= ALPHA);
}

function bootstrapped(random: () => number): Judge {
  return (ratios) =>
    ratios.some((some) => {
      const medians = Array.from({ length: 200 }, () =>
        median(some.map(() => some[Math.floor(random() * some.length)]!)),
      ).sort((a, b) => a - b);
      return medians[5]! > 1 || medians[194]! < 1;
    });
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const all = [...values];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
