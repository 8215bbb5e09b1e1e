// `banyan flags`: the placements as a flag definition, for flagd and whatever evaluates its flags.
import { connect } from '../client.ts';
import type { Register } from '../register.ts';

export const flags: Register = (program, terminal) => {
  program
    .command('flags')
    .description('print the placements as flags for flagd, which give the same sides')
    .option('--json', 'print the admin answer unchanged, on one line')
    .action(async ({ json }: { json?: boolean }) => {
      const { text, body } = await connect(terminal, 'flags').ask<object>('GET', '/admin/flags');
      terminal.out.write(`${json ? text : JSON.stringify(body, null, 2)}\n`);
    });
};
