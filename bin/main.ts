// The command line as a process: what `npx banyan` runs.
import { processTerminal } from '../src/cli/terminal.ts';
import { banyan } from './commands.ts';

process.exitCode = await banyan(process.argv.slice(2), processTerminal());
