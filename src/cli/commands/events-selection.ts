// Which events a command is about: the options that choose among those that are not done, alike for every command that takes
// them, and what they are in a request.
import type { Command } from 'commander';

export interface Selection {
  readonly type?: string;
  readonly reason?: string;
  readonly key?: string;
  readonly olderThan?: string;
}

export function withSelection(command: Command): Command {
  return command
    .option('--type <type>', 'only those of this type, or of a part of it')
    .option('--reason <text>', 'only those in whose reason this stands')
    .option('--key <key>', 'only those of this key')
    .option('--older-than <age>', 'only those that failed before: 30m, 2h, 3d, or a time');
}

export function selectionOf({ type, reason, key, olderThan }: Selection): Record<string, string> {
  const given = Object.entries({ type, reason, key, olderThan }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Record<string, string>;
}

export const isSelection = (options: Selection): boolean => Object.keys(selectionOf(options)).length > 0;
