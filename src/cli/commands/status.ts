// `banyan status`: the whole picture, or the admin answer as it came.
import type { Suggestions } from '../application.ts';
import { connect } from '../client.ts';
import { drawStatus } from '../picture.ts';
import type { Register } from '../register.ts';
import { styleFor } from '../terminal.ts';

export const status =
  (suggestions: Suggestions): Register =>
  (program, terminal) => {
    program
      .command('status')
      .description('show where every module serves, by which processes, and what to try next')
      .option('--json', 'print the admin answer unchanged')
      .action(async ({ json }: { json?: boolean }) => {
        const client = connect(terminal, 'status');
        const { text, body } = await client.placements();
        const looks = {
          url: client.url,
          now: Date.now(),
          style: styleFor(terminal, terminal.out),
          suggestions,
        };
        terminal.out.write(json ? `${text}\n` : drawStatus(body, looks));
      });
  };
