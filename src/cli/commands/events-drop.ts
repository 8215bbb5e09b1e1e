// `banyan events drop ID --why "…"`: given up, for a reason that is kept.
import type { Decided } from '../../banyan/events/operations/schemas.ts';
import { connect } from '../client.ts';
import type { Register } from '../register.ts';
import { nextSteps } from './events-next.ts';

interface Options {
  readonly why: string;
  readonly at?: string;
  readonly json?: boolean;
}

export const drop: Register = (group, terminal) => {
  group
    .command('drop')
    .description('give an event up: it has no effect, and its key goes on')
    .argument('<id>', 'the event')
    .requiredOption('--why <reason>', 'the reason, for the audit')
    .option('--at <module>', 'only at this consumer, where several have the event')
    .option('--json', 'print the admin answer unchanged')
    .action(async (id: string, _options: Options, command) => {
      const { why, at, json } = command.optsWithGlobals() as Options;
      const client = connect(terminal, 'events drop');
      const answer = await client.ask<Decided>('POST', `/admin/events/dead/${encodeURIComponent(id)}/drop`, {
        body: { why, ...(at && { module: at }) },
        next: nextSteps,
      });
      const said = answer.body.items.map(({ module }) => `${id} is dropped at ${module}`);
      terminal.out.write(json ? `${answer.text}\n` : `${said.join('\n')}\n`);
    });
};
