// `banyan compare diff`: two reports of one comparison, for CI. Exit 1 when something became worse than the threshold
// allows.
import { type Command, InvalidArgumentError } from 'commander';
import { Reported } from '../../src/cli/several.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { styleFor } from '../../src/cli/terminal.ts';
import { refused } from './refused.ts';

interface Options {
  readonly threshold: number;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

const examples = `
Ratios B / A are compared always; a side's own figures only where machine, rate,
requests and mode are the same. Worse is what is beyond the threshold and what
rounds alone cannot explain (the intervals do not meet).

Examples:
  banyan compare diff old/report.json new/report.json
  banyan compare diff old/report.json new/report.json --threshold 1.25 --json`;

export function compareDiff(group: Command, terminal: Terminal): void {
  group
    .command('diff')
    .description('what became worse between two reports; exit 1 past a threshold')
    .argument('<old>', 'a report.json')
    .argument('<new>', 'a newer one of the same work and shapes')
    .option('--threshold <factor>', 'worse is this many times as much', factor, 1.1)
    .option('--json', 'print the difference as JSON')
    .option('--markdown', 'print it with its intervals, as a comment')
    .addHelpText('after', examples)
    .action(async (older: string, newer: string, _own: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      await refused(() => tell(older, newer, options, terminal));
    });
}

async function tell(
  older: string,
  newer: string,
  { threshold, json, markdown }: Options,
  terminal: Terminal,
): Promise<void> {
  const { readReport } = await import('../format/check.ts');
  const { diffReports } = await import('../report/diff.ts');
  const [before, after] = [readReport(older), readReport(newer)];
  const diff = diffReports(before, after, threshold);
  if (json) terminal.out.write(`${JSON.stringify(diff)}\n`);
  else if (markdown) {
    const { diffMarkdown } = await import('../report/diff-markdown.ts');
    terminal.out.write(diffMarkdown(diff, before, after));
  } else {
    const { diffText } = await import('../report/diff-text.ts');
    terminal.out.write(diffText(diff, styleFor(terminal, terminal.out)));
  }
  if (diff.worse > 0) throw new Reported();
}

function factor(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 1 && value <= 100) return value;
  throw new InvalidArgumentError('It takes a factor above 1, such as 1.1 for 10 %.');
}
