// Why a program of PostgreSQL ended, out of what it printed: the one line that says so, without what comes before it.
// It knows neither which program it was nor what follows.
import { fstatSync, readSync } from 'node:fs';

/** The line that says why, of what a program of PostgreSQL printed. */
export function complaintIn(output: string): string | undefined {
  const lines = output
    .split('\n')
    .filter((line) => /FATAL|PANIC|ERROR|error:|could not|No space/i.test(line));
  // What ends a program is said first as FATAL; what follows from it, below.
  const line = lines.find((one) => /FATAL|PANIC/.test(one)) ?? lines.at(-1);
  return line?.replace(/^.*?(FATAL|PANIC|ERROR|error): +/, '').trim();
}

/** What was written to the open file from there on, 64 kB at most. */
export function readFrom(file: number, position: number): string {
  const bytes = Buffer.alloc(Math.min(fstatSync(file).size - position, 65_536));
  readSync(file, bytes, 0, bytes.length, position);
  return bytes.toString();
}
