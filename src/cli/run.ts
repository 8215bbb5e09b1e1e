// From words to a command: what there is, in one list. Each command is a file of its own.

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { compareCommand } from './commands/compare.ts';
import { docs } from './commands/docs.ts';
import { events } from './commands/events.ts';
import { extract } from './commands/extract.ts';
import { logs } from './commands/logs.ts';
import { place } from './commands/place.ts';
import { restore } from './commands/restore.ts';
import { saga } from './commands/saga.ts';
import { status } from './commands/status.ts';
import { verify } from './commands/verify.ts';
import { Failure, misused, report } from './failure.ts';
import type { Register } from './register.ts';
import { Reported } from './several.ts';
import type { Terminal } from './terminal.ts';

const commands: readonly Register[] = [
  status,
  extract,
  place,
  restore,
  logs,
  events,
  verify,
  saga,
  compareCommand,
  docs,
];

const examples = `
Examples:
  banyan status                           where every module serves; what next
  banyan extract orders                   orders becomes a process of its own
  banyan extract catalog --instances 2    two of them, balanced
  banyan restore orders                   and back, without losing a request
  banyan logs catalog -f                  what its processes say
  banyan events                           how events are doing; --help for more
  banyan saga                             who says what is next; what is stuck
  banyan verify                           nothing lost, doubled or out of order?
  banyan compare                          both architectures on the same work

It finds the instance that runs by DATA_DIR (.banyan in this folder), or by
BANYAN_URL and ADMIN_TOKEN. Every command but docs takes --json.`;

/** Runs one command; answers the exit code. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const program = new Command('banyan')
    .description('Moves the modules of a running Banyan into services, and back.')
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print what there is')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .addHelpText('after', examples)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out.write(text), writeErr: () => {} });
  for (const register of commands) register(program, terminal);
  for (const command of program.commands) {
    command.exitOverride().copyInheritedSettings(program);
    for (const below of command.commands) below.copyInheritedSettings(program);
  }
  try {
    if (words.length === 0) program.help();
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof Reported) return 1;
    if (!(error instanceof Failure || error instanceof CommanderError)) throw error;
    report(
      error instanceof Failure ? error : notUnderstood(error, words, program),
      terminal,
      words.includes('--json'),
    );
    return 1;
  }
}

/** The help of the command that was meant, as far as it can be told. */
function notUnderstood(error: CommanderError, words: readonly string[], program: Command): Failure {
  const path: string[] = [];
  let at = program;
  for (const word of words) {
    const below = at.commands.find((command) => command.name() === word);
    if (!below) continue;
    path.push(word);
    at = below;
  }
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return misused(message, ['npx banyan', ...path, '--help'].join(' '));
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
