// `banyan status`: the whole picture, or the admin answer as it came.
import type { StoreEntry } from '../../banyan/servers/desk/contract.ts';
import type { Suggestions } from '../application.ts';
import { connect } from '../client.ts';
import { drawStatus } from '../picture.ts';
import type { Register } from '../register.ts';
import { styleFor } from '../terminal.ts';
import { troublesOf } from '../troubles.ts';

export const status =
  (suggestions: Suggestions): Register =>
  (program, terminal) => {
    program
      .command('status')
      .description('show where every module serves, by which processes, what is stuck, what to try next')
      .option('--json', 'print the admin answer unchanged')
      .action(async ({ json }: { json?: boolean }) => {
        const client = connect(terminal, 'status');
        const { text, body } = await client.placements();
        if (json) return void terminal.out.write(`${text}\n`);
        // What moves, or broke, belongs to the picture; who may not see it, or an older host, shows the rest.
        const [stores, troubles] = await Promise.all([
          client
            .ask<{ items: StoreEntry[] }>('GET', '/admin/stores')
            .then((answer) => answer.body.items ?? [])
            .catch(() => []),
          troublesOf(client, suggestions),
        ]);
        const looks = {
          stores,
          troubles,
          url: client.url,
          now: Date.now(),
          style: styleFor(terminal, terminal.out),
          suggestions,
        };
        terminal.out.write(drawStatus(body, looks));
      });
  };
