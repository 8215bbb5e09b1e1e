// `npm run rehearse -- hosts` as a command: its options, progress on stderr, what was found on stdout in 80 columns or as JSON. It
// decides nothing of what is right.
import { wrap } from '../../../compare/report/terminal.ts';
import { countOf, readArguments, refuse } from '../../../scripts/arguments.ts';
import { missingForBroker } from '../../../src/banyan/events/testing/broker.ts';
import { KAFKA_JARS } from '../alarms/stage.ts';
import { asJson, played } from '../played.ts';
import { missingForClock } from './machine-clock.ts';
import { missingForNetwork } from './network.ts';
import { type HostsOutcome, rehearseHosts } from './rehearsal.ts';
import { SCENARIOS } from './scenarios.ts';

const usage = `npm run rehearse -- hosts [options]
  --only LIST    of scenarios, by their names: ${SCENARIOS.slice(0, 3)
    .map(({ name }) => name)
    .join(',')},...
  --list         what scenarios there are
  --orders N     that customers place a second (8)
  --reads N      that they ask for a second (16)
  --logs FOLDER  for what each host says; it stays
  --json         what was found as JSON
Hosts are network namespaces of this machine: it needs Linux, root, ip, tc, nft
and libfaketime (apt-get install -y iproute2 nftables faketime), Java 17 and
Maven for Kafka.`;

/** The words after `hosts`. Ends the process. */
export async function play(words: readonly string[]): Promise<never> {
  const { only, list, json, ...pace } = read(words);
  if (list) {
    process.stdout.write(SCENARIOS.map(({ name, about }) => `${name.padEnd(22)}${about}\n`).join(''));
    process.exit(0);
  }
  const scenarios = only ? SCENARIOS.filter(({ name }) => only.includes(name)) : SCENARIOS;
  const missing =
    (await missingForNetwork()) ??
    (scenarios.some(({ needsClock }) => needsClock) ? missingForClock() : undefined) ??
    (await missingForBroker(KAFKA_JARS));
  if (missing !== undefined) {
    process.stderr.write(`${missing}\n`);
    process.exit(3);
  }
  return played(async (meanwhile) => {
    const outcome = await rehearseHosts({ scenarios, ...pace, ...meanwhile });
    return { shown: json ? asJson(outcome) : inWords(outcome), wrong: outcome.wrong };
  });
}

function read(words: readonly string[]) {
  const known = {
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    orders: { type: 'string', default: '8' },
    reads: { type: 'string', default: '16' },
    logs: { type: 'string' },
    json: { type: 'boolean', default: false },
  } as const;
  const { only, list, json, orders, reads, logs } = readArguments(usage, known, words);
  const names = only?.split(',');
  const unknown = names?.find((one) => SCENARIOS.every(({ name }) => name !== one));
  if (unknown !== undefined)
    refuse(`--only has no scenario "${unknown}"; npm run rehearse -- hosts --list has them.`, usage);
  const pace = {
    ordersPerSecond: countOf('orders', orders, usage),
    readsPerSecond: countOf('reads', reads, usage),
  };
  return { only: names, list, json, logs, ...pace };
}

function inWords({ played, books, seconds, wrong }: HostsOutcome): string {
  const row = (cells: readonly string[]) =>
    cells.map((cell, n) => (n === 0 ? cell.padEnd(20) : cell.padStart(n < 3 ? 10 : 13))).join('');
  const figure = (n: number) => n.toFixed(1);
  const lines = [
    row(['', 'requests', 'failed', 'longest, s', 'felt for, s', 'and after, s']),
    ...played.map(({ scenario, requests, failed, longestMs, feltS, recoveryS }) =>
      row([scenario, String(requests), String(failed), ...[longestMs / 1_000, feltS, recoveryS].map(figure)]),
    ),
    '',
    `${books.answered} orders promised, ${books.missing} missing, ${books.doubled} twice, ${books.open} not at their end`,
    `${books.events.sent} events, lost ${books.events.lost}, doubled ${books.events.doubled}, out of order ${books.events.inverted}`,
    '',
    ...wrong.flatMap((sentence) => wrap(sentence, 0, 'WRONG  ')),
    wrong.length === 0 ? `all of it held, in ${seconds.toFixed(0)} s` : `${wrong.length} things differ`,
  ];
  return `${lines.join('\n')}\n`;
}
