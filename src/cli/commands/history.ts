// `banyan history [M]`: who moved what, when and why.
import type { Change } from '../../banyan/placement/history-contract.ts';
import { connect } from '../client.ts';
import { drawHistory } from '../history-picture.ts';
import type { Register } from '../register.ts';
import { styleFor } from '../terminal.ts';

/** More than a screen of them is a case for --json. */
const SHOWN = 20;

export const history: Register = (program, terminal) => {
  program
    .command('history')
    .description('show every change of a placement: when, what, by whom, why')
    .argument('[module]', 'only of this module')
    .option('--json', 'print the admin answer unchanged (the last 100)')
    .action(async (module: string | undefined, { json }: { json?: boolean }) => {
      const client = connect(terminal, 'history');
      const query = new URLSearchParams({ limit: String(json ? 100 : SHOWN) });
      if (module !== undefined) query.set('module', module);
      const { text, body } = await client.ask<{ items: Change[]; nextCursor: string | null }>(
        'GET',
        `/admin/history?${query}`,
      );
      if (json) {
        terminal.out.write(`${text}\n`);
        return;
      }
      const more = body.nextCursor
        ? `  … and older ones: npx banyan history${module ? ` ${module}` : ''} --json\n\n`
        : '';
      const style = styleFor(terminal, terminal.out);
      terminal.out.write(`${drawHistory(body.items, style)}${more}`);
    });
};
