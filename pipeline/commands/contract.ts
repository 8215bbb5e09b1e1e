// `banyan contract diff REV`: what the working tree promises, beside what a revision did. Exit 3 where somebody who relied
// on it would fail.
import { fileURLToPath } from 'node:url';
import type { App } from '../../src/banyan/config/app.ts';
import { misusedOption } from '../../src/cli/failure.ts';
import type { Register } from '../../src/cli/register.ts';
import { Reported } from '../../src/cli/several.ts';
import { styleFor, type Terminal } from '../../src/cli/terminal.ts';

const about = `
It compares operations, errors and events of every module, what the host
promises of itself, /openapi.json and /asyncapi.json: of the revision, and of
the working tree. It needs no instance that runs. docs/pipeline.md has the rules.

Examples:
  banyan contract diff v1.2.0
  banyan contract diff origin/main --json

Exit 0: nothing is broken. 3: something is. 2: there is no such revision, or its
contracts cannot be read.`;

/** What a pipeline stops at; 1 is left for what nobody foresaw. */
const BROKEN = 3;

const root = fileURLToPath(new URL('../../', import.meta.url));

export const contract =
  (app: App): Register =>
  (program, terminal) => {
    const group = program
      .command('contract')
      .description('compare what is promised with an earlier revision')
      .action(() => {
        throw misusedOption('It does nothing without a word more.', 'npx banyan contract diff <revision>');
      });
    group
      .command('diff')
      .description('what was added, what changed, what is broken; exit 3 if any is')
      .argument('<revision>', 'a branch, tag or commit')
      .option('--json', 'print it as JSON')
      .addHelpText('after', about)
      .action(async (revision: string, { json }: { json?: boolean }) => {
        await tell(revision, json ?? false, app, terminal);
      });
  };

async function tell(revision: string, json: boolean, app: App, terminal: Terminal): Promise<void> {
  const { openCheckout } = await import('../checkout.ts');
  const { promiseDiffSince } = await import('../contracts/since.ts');
  const { commit, diff } = await promiseDiffSince(openCheckout(root), revision, app);
  if (json) {
    terminal.out.write(`${JSON.stringify({ since: revision, commit, ...diff })}\n`);
  } else {
    const { drawPromises } = await import('../contracts/picture.ts');
    const style = styleFor(terminal, terminal.out);
    terminal.out.write(drawPromises(diff, { since: revision, commit }, style));
  }
  if (diff.broken > 0) throw new Reported(BROKEN);
}
