// `banyan events skip TOPIC PARTITION OFFSET --why "…"`: a part of the log that cannot be read is given up.
import { InvalidArgumentError } from 'commander';
import type { Skipped } from '../../banyan/events/operations/schemas.ts';
import { connect } from '../client.ts';
import type { Register } from '../register.ts';
import { nextSteps } from './events-next.ts';

interface Options {
  readonly why: string;
  readonly json?: boolean;
}

export const skip: Register = (group, terminal) => {
  group
    .command('skip')
    .description('pass over a part of the log that cannot be read; its partition goes on behind it')
    .argument('<topic>', 'as `banyan events` shows it')
    // A short name: with a longer one the help of the group is wider than 80 columns.
    .argument('<nr>', 'the number of the partition', whole)
    .argument('<offset>', 'where it begins', whole)
    .requiredOption('--why <reason>', 'the reason, for the audit')
    .option('--json', 'print the admin answer unchanged')
    .action(async (topic: string, partition: string, offset: string, _options: Options, command) => {
      const { why, json } = command.optsWithGlobals() as Options;
      const client = connect(terminal, 'events skip');
      const { text, body } = await client.ask<Skipped>('POST', '/admin/events/skip', {
        body: { topic, partition: Number(partition), offset, why },
        next: nextSteps,
      });
      const said = body.items.map(
        ({ module, last }) => `${module} goes on behind ${topic}/${partition}/${last}`,
      );
      terminal.out.write(json ? `${text}\n` : `${said.join('\n')}\n`);
    });
};

function whole(text: string): string {
  if (/^\d{1,18}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a whole number.');
}
