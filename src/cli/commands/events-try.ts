// `banyan events try ID [--data FILE]`: would it work? A dry run; nothing of it takes effect.
import type { TriedDelivery } from '../../banyan/events/operations/schemas.ts';
import { connect } from '../client.ts';
import { oneLine, shorten } from '../plain.ts';
import type { Register } from '../register.ts';
import { type Style, styleFor } from '../terminal.ts';
import { dataFrom, dataOption } from './events-data.ts';
import { nextSteps } from './events-next.ts';

interface Options {
  readonly at?: string;
  readonly data?: string;
  readonly json?: boolean;
}

export const tryOne: Register = (group, terminal) => {
  group
    .command('try')
    .description('say whether an event would be handled, and what it would publish; all of it is rolled back')
    .argument('<id>', 'the event')
    .option('--data <file>', 'with the data in this file, or with this JSON')
    .option('--at <module>', 'at this consumer, where several have the event')
    .option('--json', 'print the admin answer unchanged')
    .action(async (id: string, _options: Options, command) => {
      const { at, data, json } = command.optsWithGlobals() as Options;
      const body = { ...(at && { module: at }), ...(data !== undefined && { data: dataFrom(data).data }) };
      const client = connect(terminal, 'events try');
      const path = `/admin/events/dead/${encodeURIComponent(id)}/try`;
      const answer = await client.ask<TriedDelivery>('POST', path, { body, next: nextSteps });
      const style = styleFor(terminal, terminal.out);
      terminal.out.write(json ? `${answer.text}\n` : drawTried(answer.body, data, style));
    });
};

function drawTried(tried: TriedDelivery, data: string | undefined, style: Style): string {
  const { id, module, type, works, ran, error, errors = [], disturbed, publishes, tookMs } = tried;
  const word = disturbed
    ? style('yellow', 'not known')
    : works
      ? style('green', 'works')
      : style('red', 'fails');
  const again = `npx banyan events redrive ${id}${data === undefined ? '' : ` ${dataOption(data)}`}`;
  const steps = works
    ? [again]
    : disturbed
      ? [`npx banyan events try ${id}`]
      : [`npx banyan events redrive ${id} --edit`, `npx banyan events drop ${id} --why "…"`];
  return [
    '',
    `  ${style('bold', id)}  ${word} at ${style('bold', module)}${ran ? `, after ${tookMs} ms` : ', not run'}`,
    shorten(`    ${oneLine(type)}`, 80),
    ...(disturbed ? [`    It says nothing of the event: ${oneLine(disturbed)}`] : []),
    ...(error && !disturbed ? [`    ${oneLine(error)}`] : []),
    ...errors.map(({ path, message }) => `    ${oneLine(path || '/')} ${oneLine(message)}`),
    ...(works && publishes.length === 0 ? ['    It would publish nothing.'] : []),
    ...publishes.map((one) =>
      shorten(`    would publish ${one.type} of ${oneLine(one.key)}: ${JSON.stringify(one.data)}`, 80),
    ),
    '    Nothing of it took effect.',
    '',
    `  ${style('dim', 'Try next')}`,
    ...steps.map((step) => `    ${style('green', step)}`),
    '',
    '',
  ].join('\n');
}
