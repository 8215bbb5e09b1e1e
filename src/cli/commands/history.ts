// `banyan history [M]`: who moved what, modules and their stores, when and why; what failed meanwhile, and which processes ended.
import type { Change, End, StoreChange } from '../../banyan/placement/history-contract.ts';
import { connect } from '../client.ts';
import { drawHistory } from '../history-picture.ts';
import type { Register } from '../register.ts';
import { styleFor } from '../terminal.ts';

/** More than a screen of them is a case for --json. */
const SHOWN = 20;
/** Of a terminal of which nobody knows it. */
const WIDTH = 80;

export const history: Register = (program, terminal) => {
  program
    .command('history')
    .description('show how it came to be: placements, moves of stores, and processes that ended')
    .argument('[module]', 'only of this module')
    .option('--json', 'print the admin answer unchanged (the last 100)')
    .action(async (module: string | undefined, { json }: { json?: boolean }) => {
      const client = connect(terminal, 'history');
      const query = new URLSearchParams({ limit: String(json ? 100 : SHOWN) });
      if (module !== undefined) query.set('module', module);
      const { text, body } = await client.ask<{
        items: Change[];
        nextCursor: string | null;
        stores?: StoreChange[];
        ended?: End[];
      }>('GET', `/admin/history?${query}`);
      if (json) {
        terminal.out.write(`${text}\n`);
        return;
      }
      const more = body.nextCursor
        ? `  … and older ones: npx banyan history${module ? ` ${module}` : ''} --json\n\n`
        : '';
      const style = styleFor(terminal, terminal.out);
      const { isTerminal } = terminal.out;
      const columns = isTerminal ? (terminal.out.columns ?? WIDTH) : undefined;
      terminal.out.write(
        `${drawHistory(body.items, body.stores ?? [], body.ended ?? [], style, columns)}${more}`,
      );
    });
};
