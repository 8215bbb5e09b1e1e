// What was measured of the peers, as Markdown: one summary of ratios against the goal, one table a column. It takes
// numbers and says them; it measures nothing.
import type { Measured } from './load.ts';
import { type Shape, variants } from './variants.ts';

export interface Column {
  readonly shape: Shape;
  readonly stored: boolean;
  /** By peer, in the order of the rounds. */
  readonly found: ReadonlyMap<string, readonly Measured[]>;
}

/** Generators that used more than this of their core may have been the limit. */
const LIMIT = 0.9;

interface Context {
  readonly machine: string;
  readonly pinning: string;
  /** How busy the machine was, in words. */
  readonly load: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly versionOf: (name: string) => string;
}

export function machineLines({ machine, pinning, load, rounds, seconds, versionOf }: Context): string[] {
  const versions = [
    `Moleculer ${versionOf('moleculer')} (moleculer-web ${versionOf('moleculer-web')})`,
    `NestJS ${versionOf('@nestjs/core')} (microservices ${versionOf('@nestjs/microservices')}, platform-fastify ${versionOf('@nestjs/platform-fastify')})`,
    `Platformatic wattpm ${versionOf('wattpm')} (node ${versionOf('@platformatic/node')}, gateway ${versionOf('@platformatic/gateway')})`,
    `autocannon ${versionOf('autocannon')}`,
  ];
  return [
    'Written by `npm run bench:peers`. Timings gate no test.',
    '',
    `Machine: ${machine}; ${pinning}; ${load}.`,
    `${new Date().toISOString().slice(0, 10)}. ${versions.join(', ')}.`,
    `Each column: all four started, one warm-up each, then ${rounds} rounds of ${seconds} s each in alternating order; 32`,
    'connections, as fast as it goes. Medians (range over rounds); ratios by round.',
    '',
    'The work: `GET /api/orders/<id>` reads an order, then asks users and catalog at once, and answers 1,139 bytes of',
    'JSON, the same in every variant (checked). With Postgres each of the three reads by primary key with a prepared',
    'statement over a pool of 5. Banyan and Moleculer check what comes in by schema, NestJS and Platformatic do not;',
    'Banyan alone checks an internal token, a deadline and a trace on every call, and counts metrics.',
    "CPU is that of all of a peer's processes, Postgres and the generator apart.",
    '',
    'Apart means, each as its own guide deploys it:',
    ...variants.map(({ peer, apart }) => `- ${peer}: ${apart}.`),
  ];
}

const name = ({ shape, stored }: Column) => `${shape}, ${stored ? 'Postgres' : 'no database'}`;

/** Who is ahead in which column, by requests a second. */
export function summary(columns: readonly Column[]): string[] {
  const others = variants.slice(1).map(({ peer }) => peer);
  const rows = others.map((peer) => [peer, ...columns.map((column) => said(ahead(column, peer)))]);
  const behind = columns.flatMap((column) =>
    others.filter((peer) => ahead(column, peer).median <= 1).map((peer) => `${peer}, ${name(column)}`),
  );
  return [
    "### Requests a second of Banyan, over the peer's",
    `| beside | ${columns.map(name).join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    behind.length === 0
      ? 'Goal, ahead of all three in each column: met.'
      : `Goal, ahead of all three in each column: MISSED beside ${behind.join('; ')}.`,
  ];
}

export function columnTable(column: Column): string[] {
  const rows = [...column.found].map(([peer, rounds]) => {
    const of = (pick: (one: Measured) => number, digits: number) => said(spread(rounds.map(pick)), digits);
    const limit = rounds.some(({ generator }) => generator > LIMIT) ? ' (generator at its limit)' : '';
    return `| ${peer}${limit} | ${of((one) => one.perSecond, 0)} | ${of((one) => one.p99, 1)} | ${of((one) => one.cpu, 0)} | ${of((one) => one.generator, 2)} |`;
  });
  return [
    `### ${name(column)[0]!.toUpperCase()}${name(column).slice(1)}`,
    '| peer | requests/s | p99, ms | CPU, us a request | generator, cores |',
    '|---|---|---|---|---|',
    ...rows,
  ];
}

function ahead({ found }: Column, peer: string) {
  const ours = found.get('Banyan')!;
  return spread(found.get(peer)!.map((theirs, round) => ours[round]!.perSecond / theirs.perSecond));
}

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

export const said = ({ median, min, max }: Spread, digits = 2) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
