// The options of a command of this repository: `--help` prints what there is to say, and a mistake is told with it
// (exit 2), never with a stack. For scripts, benches and chaos runs; `banyan` itself has commander.
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values'];

/**
 * @param usage what `--help` prints: the command, and a line for each option.
 * @param args all that the process was given, unless a word before them was read already.
 */
export function readArguments<const O extends Options>(
  usage: string,
  options: O,
  args: readonly string[] = process.argv.slice(2),
): Values<O> {
  const help = { type: 'boolean', short: 'h' } as const;
  try {
    const { values } = parseArgs({ args: [...args], options: { ...options, help } });
    if (!(values as { help?: boolean }).help) return values as Values<O>;
  } catch (error) {
    refuse((error as Error).message, usage);
  }
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

/** A whole number from 1; `name` is the option's. */
export function countOf(name: string, text: string, usage: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  return refuse(`--${name} is a whole number above 0, not "${text}".`, usage);
}

/** One of a few words. */
export function oneOf<const W extends string>(
  name: string,
  text: string,
  words: readonly W[],
  usage: string,
): W {
  const found = words.find((word) => word === text);
  return found ?? refuse(`--${name} is one of ${words.join(', ')}, not "${text}".`, usage);
}

export function refuse(message: string, usage: string): never {
  process.stderr.write(`${message}\n\n${usage}\n`);
  process.exit(2);
}
