// From words to a command: what every Banyan has, in one list, and what the application adds. Each command is a file
// of its own. It knows no module and no tool: the application hands them in (application.ts).

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type Application, anyApplication, type Example } from './application.ts';
import { deploy } from './commands/deploy.ts';
import { docs } from './commands/docs.ts';
import { doctor } from './commands/doctor.ts';
import { events } from './commands/events.ts';
import { extract } from './commands/extract.ts';
import { flags } from './commands/flags.ts';
import { history } from './commands/history.ts';
import { keys } from './commands/keys.ts';
import { ladder } from './commands/ladder.ts';
import { logs } from './commands/logs.ts';
import { operators } from './commands/operators.ts';
import { place } from './commands/place.ts';
import { restore } from './commands/restore.ts';
import { status } from './commands/status.ts';
import { store } from './commands/store.ts';
import { verify } from './commands/verify.ts';
import { Failure, misused, report } from './failure.ts';
import type { Register } from './register.ts';
import { Reported } from './several.ts';
import type { Terminal } from './terminal.ts';

const commands = ({ commands: own, suggestions }: Application): readonly Register[] => [
  status(suggestions),
  doctor,
  extract,
  place,
  restore,
  deploy,
  history,
  flags,
  ladder,
  store,
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
    if (error instanceof Reported) return error.exitCode;
    if (!(error instanceof Failure || error instanceof CommanderError)) throw error;
    const meant = meantBy(words, program);
    const unknown = error instanceof CommanderError && unknownCommand(error, meant);
    const failed =
      error instanceof Failure
        ? error
        : misused(unknown || inOneLine(error), ['npx banyan', ...meant.path, '--help'].join(' '));
    report(failed, terminal, words.includes('--json'));
    return unknown || isMisuse(error, meant.path[0], application) ? MISUSED : failed.exit;
  }
}

/** The exit code where there is no such command, or word of it: nothing was done, and asking again is no use. */
const MISUSED = 2;

/** With these 1 says that something is not as it was asked for. */
const outcomes: readonly string[] = ['store', 'ladder', 'doctor'];

function isMisuse(
  error: Failure | CommanderError,
  group: string | undefined,
  { strict = [] }: Application,
): boolean {
  if (error instanceof CommanderError) return group !== undefined && [...outcomes, ...strict].includes(group);
  return group === 'ladder' && badWords.includes(error.problem.code);
}

/** What only a server knows to be wrong with the words. */
const badWords: readonly string[] = ['module-unknown', 'steps-invalid', 'invalid'];

function listed(examples: readonly Example[]): string {
  if (examples.length === 0) return '';
  return `\nExamples:\n${examples.map(([command, outcome]) => `  ${command.padEnd(40)}${outcome}\n`).join('')}`;
}

interface Meant {
  readonly path: readonly string[];
  readonly command: Command;
  /** The first word after it that is no option. */
  readonly word: string | undefined;
}

/** The command that was meant, as far as it can be told. */
function meantBy(words: readonly string[], program: Command): Meant {
  const path: string[] = [];
  let command = program;
  let rest = words.filter((word) => !word.startsWith('-'));
  for (const word of rest) {
    const below = command.commands.find((one) => one.name() === word);
    if (!below) break;
    path.push(word);
    command = below;
  }
  rest = rest.slice(path.length);
  return { path, command, word: rest[0] };
}

/** In words, with the nearest one there is; undefined: that was not what is wrong. A group that does something by itself has too many arguments. */
function unknownCommand(error: CommanderError, { command, word }: Meant): string | undefined {
  const isOne = error.code === 'commander.unknownCommand' || error.code === 'commander.excessArguments';
  if (!isOne || word === undefined || command.commands.length === 0) return undefined;
  const asked = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  for (const one of command.commands) asked.command(one.name());
  try {
    asked.parse([word], { from: 'user' });
    return undefined;
  } catch (unknown) {
    return inOneLine(unknown as CommanderError).replace(`'${word}'`, `"${word}"`);
  }
}

function inOneLine({ message }: Error): string {
  return message.replace(/^error: /, '').replaceAll('\n', ' ');
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
