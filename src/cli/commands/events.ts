// `banyan events`: how the events of every module are doing; and the group of commands about them.
import type { EventsOverview } from '../../banyan/events/operations/schemas.ts';
import { connect } from '../client.ts';
import { drawOverview } from '../events-picture.ts';
import type { Register } from '../register.ts';
import { styleFor } from '../terminal.ts';
import { dead } from './events-dead.ts';
import { drop } from './events-drop.ts';
import { redrive } from './events-redrive.ts';
import { replay } from './events-replay.ts';
import { show } from './events-show.ts';
import { skip } from './events-skip.ts';
import { tail } from './events-tail.ts';
import { tryOne } from './events-try.ts';

const EXAMPLES = `
Examples:
  banyan events                         what waits, who sends, who is behind
  banyan events tail orders.events      live, one line an event
  banyan events dead payments           what failed there, why, since when
  banyan events show ID                 an event, every error with its stack
  banyan events try ID                  would it work? Nothing takes effect
  banyan events redrive --all payments  again, each key in its order
  banyan events redrive ID --edit       again, with better data
  banyan events drop ID --why "a test"  give it up; its key goes on
  banyan events skip orders.events 3 17 --why "…"  pass over what cannot be read
  banyan events replay users.events --from 2d --to notifications`;

export const events: Register = (program, terminal) => {
  const group = program
    .command('events')
    .description('show how events are doing; see, repair and replay them')
    .option('--json', 'print the admin answer unchanged')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json }: { json?: boolean }) => {
      const client = connect(terminal, 'events');
      const { text, body } = await client.ask<EventsOverview>('GET', '/admin/events');
      const looks = { style: styleFor(terminal, terminal.out), now: Date.now() };
      terminal.out.write(json ? `${text}\n` : drawOverview(body, client.url, looks));
    });
  for (const register of [tail, dead, show, tryOne, redrive, drop, skip, replay]) register(group, terminal);
};
