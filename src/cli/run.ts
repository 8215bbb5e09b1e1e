// From words to a command: what every Banyan has, in one list, and what the application adds. Each command is a file
// of its own. It knows no module and no tool: the application hands them in (application.ts).

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type Application, anyApplication, type Example } from './application.ts';
import { docs } from './commands/docs.ts';
import { events } from './commands/events.ts';
import { extract } from './commands/extract.ts';
import { keys } from './commands/keys.ts';
import { logs } from './commands/logs.ts';
import { operators } from './commands/operators.ts';
import { place } from './commands/place.ts';
import { restore } from './commands/restore.ts';
import { status } from './commands/status.ts';
import { verify } from './commands/verify.ts';
import { Failure, misused, report } from './failure.ts';
import type { Register } from './register.ts';
import { Reported } from './several.ts';
import type { Terminal } from './terminal.ts';

const commands = ({ commands: own, suggestions }: Application): readonly Register[] => [
  status(suggestions),
  extract,
  place,
  restore,
  logs,
  events,
  verify,
  keys,
  operators,
  ...own,
  docs,
];

const FOUND = `
It finds the instance that runs by DATA_DIR (.banyan in this folder), or by
BANYAN_URL with BANYAN_TOKEN or ADMIN_TOKEN. All but docs take --json.`;

/** Runs one command; answers the exit code. */
export async function run(
  words: readonly string[],
  terminal: Terminal,
  application: Application = anyApplication,
): Promise<number> {
  const program = new Command('banyan')
    .description('Moves the modules of a running Banyan into services, and back.')
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print what there is')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .addHelpText('after', `${listed(application.examples)}${FOUND}`)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out.write(text), writeErr: () => {} });
  for (const register of commands(application)) register(program, terminal);
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

function listed(examples: readonly Example[]): string {
  if (examples.length === 0) return '';
  return `\nExamples:\n${examples.map(([command, outcome]) => `  ${command.padEnd(40)}${outcome}\n`).join('')}`;
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
