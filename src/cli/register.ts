// What the file of a command offers: itself, for the program that lists it. Apart from that list, so that no
// command imports what imports it.
import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';

/** Adds its command to the program. */
export type Register = (program: Command, terminal: Terminal) => void;
