// `banyan events drop ID --why "…"`: given up, for a reason that is kept; or many, by a filter.
import type { Decided } from '../../banyan/events/operations/schemas.ts';
import { connect } from '../client.ts';
import { misused } from '../failure.ts';
import type { Register } from '../register.ts';
import { plural } from '../times.ts';
import { nextSteps } from './events-next.ts';
import { isSelection, type Selection, selectionOf, withSelection } from './events-selection.ts';

interface Options extends Selection {
  readonly all?: string;
  readonly why: string;
  readonly at?: string;
  readonly json?: boolean;
}

export const drop: Register = (group, terminal) => {
  const command = group
    .command('drop')
    .description('give events up: they have no effect, and their keys go on')
    .argument('[id...]', 'the events');
  withSelection(command)
    .option('--all <module>', 'all dead letters of this consumer')
    .requiredOption('--why <reason>', 'the reason, for the audit')
    .option('--at <module>', 'only at this consumer, where several have the event')
    .option('--json', 'print the admin answer unchanged')
    .action(async (ids: string[], _options: Options, command) => {
      const options = command.optsWithGlobals() as Options;
      const { all, why, at, json } = options;
      if ((ids.length === 0) === (all === undefined && !isSelection(options)))
        throw misused(
          'Which ones? Either ids, or --all or a filter.',
          'npx banyan events drop --all payments --why "a test"',
        );
      const client = connect(terminal, 'events drop');
      const module = all ?? at;
      if (ids.length !== 1) {
        const meant = ids.length > 0 ? { ids } : selectionOf(options);
        const answer = await client.ask<{ dropped: number }>('POST', '/admin/events/drop', {
          body: { ...meant, ...(module && { module }), why },
          next: nextSteps,
          waitMs: 600_000,
        });
        const { dropped } = answer.body;
        const many =
          dropped === 0 ? 'No dead letters that are meant.' : `${plural(dropped, 'event')} dropped`;
        terminal.out.write(json ? `${answer.text}\n` : `${many}\n`);
        return;
      }
      const id = ids[0]!;
      const answer = await client.ask<Decided>('POST', `/admin/events/dead/${encodeURIComponent(id)}/drop`, {
        body: { why, ...(at && { module: at }) },
        next: nextSteps,
      });
      const said = answer.body.items.map(({ module }) => `${id} is dropped at ${module}`);
      terminal.out.write(json ? `${answer.text}\n` : `${said.join('\n')}\n`);
    });
};
