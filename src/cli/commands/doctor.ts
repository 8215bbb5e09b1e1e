// `banyan doctor`: what is wrong with the system that runs, the worst first, each with what helps. The exit code is for scripts:
// 3 where something is an error.
import type { Examined } from '../../banyan/doctor/contract.ts';
import { connect } from '../client.ts';
import { drawExamined } from '../doctor-picture.ts';
import type { Register } from '../register.ts';
import { Reported } from '../several.ts';
import { styleFor } from '../terminal.ts';

const HELP = `
It ends with 0 where nothing is an error, with 3 where something is, with 1
where nobody answers, and with 2 where the words are wrong. A check that cannot
be made is said, and is no error.

Examples:
  banyan doctor           what is wrong, and what helps
  banyan doctor --all     what is well, too
  banyan doctor --json    the same for a script`;

const ERRORS = 3;
/** It answers within six seconds; who is busy may take longer to begin. */
const WAIT_MS = 20_000;

export const doctor: Register = (program, terminal) => {
  program
    .command('doctor')
    .description('look at clocks, keys, databases, topics, versions: what is wrong, what helps')
    .option('--all', 'list what is well, too')
    .option('--json', 'print the admin answer unchanged')
    .addHelpText('after', HELP)
    .action(async ({ all = false, json }: { all?: boolean; json?: boolean }) => {
      const { text, body } = await connect(terminal, 'doctor').ask<Examined>('GET', '/admin/doctor', {
        waitMs: WAIT_MS,
        next: { 'not-found': NO_DOCTOR },
      });
      terminal.out.write(
        json ? `${text}\n` : drawExamined(body, { style: styleFor(terminal, terminal.out), all }),
      );
      if (body.items.some(({ level }) => level === 'error')) throw new Reported(ERRORS);
    });
};

const NO_DOCTOR =
  'It is of a version without a doctor, or has /admin on a port of its own (ADMIN_PORT): set BANYAN_URL to that one';
