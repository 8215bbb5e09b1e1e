// `banyan verify`: outboxes, log and inboxes against one another. The last line is for scripts, and so is the
// exit code: 1 unless nothing is lost, doubled or inverted, and all of it could be read. A log that is ahead of a store is
// told, and is no fault of any event: scripts find it as `ahead`.
import type { Verified } from '../../banyan/events/operations/schemas.ts';
import { connect } from '../client.ts';
import { oneLine, shorten } from '../plain.ts';
import type { Register } from '../register.ts';
import { Reported } from '../several.ts';
import { type Style, styleFor } from '../terminal.ts';
import { lasting, local, moment, plural, thousands } from '../times.ts';
import { nextSteps } from './events-next.ts';

interface Options {
  readonly from?: string;
  readonly until?: string;
  readonly json?: boolean;
}

export const verify: Register = (program, terminal) => {
  program
    .command('verify')
    .description('compare outboxes, log and inboxes: is anything lost, doubled or out of order?')
    .option('--from <time>', 'since when: 2026-11-21T10:00Z, or how long ago: 2h, 3d (default: 1h)', moment)
    .option('--until <time>', 'until when (default: now)', moment)
    .option('--json', 'print the admin answer unchanged')
    .action(async ({ from, until, json }: Options) => {
      const client = connect(terminal, 'verify');
      const query = new URLSearchParams({ ...(from && { from }), ...(until && { until }) });
      const { text, body } = await client.ask<Verified>('GET', `/admin/events/verify?${query}`, {
        next: { ...nextSteps, invalid: 'npx banyan verify --help' },
        waitMs: 600_000,
      });
      const style = styleFor(terminal, terminal.out);
      terminal.out.write(json ? `${text}\n` : drawVerified(body, style));
      const { lost, doubled, inverted, unreadable } = body;
      if (lost + doubled + inverted + unreadable.length > 0) throw new Reported();
    });
};

export function drawVerified(found: Verified, style: Style): string {
  const { from, until, lost, doubled, inverted, inFlight, dead, foreign, topics, examples, unreadable } =
    found;
  const span = lasting((Date.parse(until) - Date.parse(from)) / 1000);
  const busy = topics.filter(({ sent, waiting, logged, foreign }) => sent + waiting + logged + foreign > 0);
  const notes = [
    ...(inFlight > 0 ? [`${plural(inFlight, 'delivery', 'deliveries')} in flight, which is no fault.`] : []),
    ...(dead > 0 ? [`${plural(dead, 'dead letter')}: npx banyan events dead`] : []),
    ...(foreign > 0 ? [`${plural(foreign, 'event')} in the log that no outbox had.`] : []),
  ];
  const gaps = unreadable.flatMap(({ topic, partition, offset, last, reason, remedy }) => [
    style('red', `  Not readable: ${topic}, partition ${partition}, offsets ${offset} to ${last}`),
    `    ${oneLine(reason)}`,
    style('dim', `    ${oneLine(remedy)}`),
  ]);
  return [
    '',
    `  ${style('bold', 'Verified')} from ${local(from)} to ${local(until)} (${span})`,
    '',
    ...(busy.length === 0
      ? ['  Nothing was published in this time.']
      : busy.flatMap((one) => drawTopic(one, style))),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `  ${note}`)] : []),
    ...(examples.length > 0 ? ['', ...examples.map((one) => drawExample(one, style))] : []),
    ...topics.flatMap((one) => drawAhead(one, style)),
    ...(gaps.length > 0
      ? ['', ...gaps, '  What stands there counts as lost, unless a consumer had it before.']
      : []),
    '',
    `lost ${lost} doubled ${doubled} inverted ${inverted}`,
    '',
  ].join('\n');
}

function drawTopic(one: Verified['topics'][number], style: Style): string[] {
  const parts = [
    `${thousands(one.sent)} sent`,
    ...(one.waiting > 0 ? [`${thousands(one.waiting)} in the outbox`] : []),
    ...(one.repeated > 0 ? [`${thousands(one.repeated)} repeated on the wire`] : []),
    ...faults(one, style),
  ];
  return [
    `  ${style('bold', one.topic.padEnd(22))} ${parts.join(', ')}`,
    ...one.consumers
      .filter(({ expected, lost, doubled, inverted }) => expected + lost + doubled + inverted > 0)
      .map((at) => `    ${at.module.padEnd(20)} ${outcome(at, style)}`),
  ];
}

function drawAhead({ topic, ahead, aheadFrom }: Verified['topics'][number], style: Style): string[] {
  if (aheadFrom === null) return [];
  const { partition, offset, at } = aheadFrom;
  const module = topic.replace(/\.events$/, '');
  return [
    '',
    style('yellow', `  The log is ahead of ${module} by ${plural(ahead, 'event')}`),
    `    from partition ${partition}, offset ${offset} on, ${local(at)}`,
    '    Its store lacks their transactions: it was put back, or lost commits',
    '    (or somebody wrote to the topic past its owner).',
    style('dim', '    Stop all hosts, then start a monolith with RESTORED=1'),
  ];
}

function outcome(at: Verified['topics'][number]['consumers'][number], style: Style): string {
  const some = (n: number, what: string) => (n > 0 ? [`${thousands(n)} ${what}`] : []);
  return [
    `${thousands(at.done)} done`,
    ...some(at.open, 'waiting'),
    ...some(at.inFlight, 'in flight'),
    ...some(at.dead, 'dead'),
    ...some(at.dropped, 'dropped'),
    ...faults(at, style),
  ].join(', ');
}

function faults(
  { lost, doubled, inverted }: { lost: number; doubled: number; inverted: number },
  style: Style,
): string[] {
  return Object.entries({ lost, doubled, inverted })
    .filter(([, n]) => n > 0)
    .map(([name, n]) => style('red', `${thousands(n)} ${name}`));
}

function drawExample(one: Verified['examples'][number], style: Style): string {
  const { fault, where, topic, id, key, sequence } = one;
  const at = where === 'log' ? 'in the log' : `at ${where}`;
  return `  ${style(fault === 'foreign' ? 'yellow' : 'red', fault)} ${at}: ${shorten(`${id}, #${sequence ?? '?'} of ${oneLine(key)} on ${topic}`, 75 - fault.length - at.length)}`;
}
