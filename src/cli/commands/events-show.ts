// `banyan events show ID`: the event, where it is, its attempts, each error with its stack.
import type { WholeEvent } from '../../banyan/events/operations/schemas.ts';
import { connect } from '../client.ts';
import { drawEvent } from '../event-picture.ts';
import type { Register } from '../register.ts';
import { styleFor } from '../terminal.ts';
import { nextSteps } from './events-next.ts';

export const show: Register = (group, terminal) => {
  group
    .command('show')
    .description('show an event, and every attempt at it with its error and stack')
    .argument('<id>', 'the event')
    .option('--json', 'print the admin answer unchanged')
    .action(async (id: string, _options, command) => {
      const { json } = command.optsWithGlobals() as { json?: boolean };
      const client = connect(terminal, 'events show');
      const { text, body } = await client.ask<WholeEvent>('GET', `/admin/events/${encodeURIComponent(id)}`, {
        next: { ...nextSteps, invalid: 'npx banyan events dead lists the ids' },
      });
      const style = styleFor(terminal, terminal.out);
      if (json) {
        terminal.out.write(`${text}\n`);
        return;
      }
      terminal.out.write(drawEvent(body, { style, now: Date.now() }));
      if (!body.deliveries.some(({ state }) => state === 'dead')) return;
      const steps = [
        [`npx banyan events redrive ${id}`, 'again'],
        [`npx banyan events redrive ${id} --edit`, 'with better data'],
        [`npx banyan events drop ${id} --why "…"`, 'give it up'],
      ];
      terminal.out.write(`  ${style('dim', 'Try next')}\n`);
      for (const [step] of steps) terminal.out.write(`    ${style('green', step!)}\n`);
      terminal.out.write('\n');
    });
};
