// `banyan affected --since REV`: which modules and tests a change touches, for people and for a pipeline. It works on the
// checkout alone, and the parser is loaded when it is asked.
import { fileURLToPath } from 'node:url';
import type { App } from '../../src/banyan/config/app.ts';
import type { Register } from '../../src/cli/register.ts';
import { styleFor } from '../../src/cli/terminal.ts';

const about = `
A module is touched by what lies in its folders, and by the contracts that it
uses; the library touches all. It needs no instance that runs.

Examples:
  banyan affected --since origin/main     what this branch touches
  banyan affected --since v1.2.0 --json   for a pipeline: modules and tests

Exit 0 whatever it found; 2: there is no such revision.`;

const root = fileURLToPath(new URL('../../', import.meta.url));

export const affected =
  (app: App): Register =>
  (program, terminal) => {
    program
      .command('affected')
      .description('show which modules and tests a change touches')
      .requiredOption('--since <revision>', 'a branch, tag or commit to compare with')
      .option('--json', 'print it as JSON')
      .addHelpText('after', about)
      .action(async ({ since, json }: { since: string; json?: boolean }) => {
        const { openCheckout } = await import('../checkout.ts');
        const { readGraph } = await import('../graph/graph.ts');
        const { layoutOf } = await import('../layout.ts');
        const { affectedBy } = await import('../affected/affected.ts');
        const checkout = openCheckout(root);
        const base = checkout.base(checkout.commit(since));
        const graph = readGraph(root, checkout.files());
        const found = affectedBy(checkout.changedSince(base), graph, layoutOf(root, app));
        if (json) {
          terminal.out.write(`${JSON.stringify({ since, base, ...found })}\n`);
          return;
        }
        const { drawAffected } = await import('../affected/picture.ts');
        terminal.out.write(drawAffected(found, { since, base }, styleFor(terminal, terminal.out)));
      });
  };
