// `banyan events dead [M]`: what failed, why, how often, since when.
import { Option } from 'commander';
import { connect } from '../client.ts';
import { type DeadLetter, drawDeadLetter } from '../events-picture.ts';
import type { Register } from '../register.ts';
import { styleFor } from '../terminal.ts';
import { nextSteps } from './events-next.ts';
import { type Selection, selectionOf, withSelection } from './events-selection.ts';

interface Options extends Selection {
  readonly state: string;
  readonly json?: boolean;
}

/** More than a screen of them is a case for --json or redrive --all. */
const SHOWN = 20;

export const dead: Register = (group, terminal) => {
  const command = group
    .command('dead')
    .description('list the events that failed for good: why, how often, since when')
    .argument('[module]', 'only of this consumer');
  withSelection(command)
    .addOption(
      new Option('--state <state>', 'those in another state')
        .choices(['dead', 'waiting', 'queued', 'early', 'unknown-version'])
        .default('dead'),
    )
    .option('--json', 'print the admin answer unchanged (the first 100)')
    .action(async (module: string | undefined, _options: Options, command) => {
      const options = command.optsWithGlobals() as Options;
      const { state, json } = options;
      const client = connect(terminal, 'events dead');
      const query = new URLSearchParams({
        limit: String(json ? 100 : SHOWN),
        state,
        ...selectionOf(options),
      });
      if (module !== undefined) query.set('module', module);
      const { text, body } = await client.ask<{ items: DeadLetter[]; nextCursor: string | null }>(
        'GET',
        `/admin/events/dead?${query}`,
        { next: nextSteps },
      );
      if (json) {
        terminal.out.write(`${text}\n`);
        return;
      }
      const style = styleFor(terminal, terminal.out);
      const of = module === undefined ? '' : ` of ${module}`;
      if (body.items.length === 0) {
        terminal.out.write(`No ${state === 'dead' ? 'dead letters' : `${state} events`}${of}.\n`);
        return;
      }
      const first = body.items[0]!;
      const more = body.nextCursor
        ? `  … and more: npx banyan events dead${module ? ` ${module}` : ''} --json\n\n`
        : '';
      const steps = [
        `npx banyan events show ${first.id}`,
        `npx banyan events try ${first.id}`,
        `npx banyan events redrive ${first.id}`,
        ...(state === 'dead'
          ? [
              `npx banyan events redrive --all ${first.module}`,
              `npx banyan events drop ${first.id} --why "…"`,
            ]
          : []),
      ];
      const looks = { style, now: Date.now() };
      terminal.out.write(
        `\n${body.items.map((letter) => `${drawDeadLetter(letter, looks)}\n\n`).join('')}${more}` +
          `  ${style('dim', 'Try next')}\n${steps.map((step) => `    ${style('green', step)}\n`).join('')}\n`,
      );
    });
};
