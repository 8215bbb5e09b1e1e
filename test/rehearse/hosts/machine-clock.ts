// The clock of a whole machine that is off, by libfaketime (Debian: faketime): all that a process on it asks for the time says the
// same, the Date of its answers included, which a preload of JavaScript does not reach. Time that only passes (monotonic) is as ever.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MachineClock {
  /** For every process of that machine. */
  readonly env: Readonly<Record<string, string>>;
  /** Ahead of the others; below 0: behind. */
  set(seconds: number): void;
  close(): void;
}

const LIBRARY = join('faketime', 'libfaketime.so.1');

function library(): string | undefined {
  const folders = ['/usr/lib', '/usr/local/lib'].filter(existsSync);
  const all = folders.flatMap((one) => [one, ...readdirSync(one).map((name) => join(one, name))]);
  return all.map((folder) => join(folder, LIBRARY)).find(existsSync);
}

/** Undefined where a clock can be set off here, else what is missing and what to do, in one line. */
export function missingForClock(): string | undefined {
  return library() ? undefined : 'libfaketime is missing: apt-get install -y faketime';
}

export function machineClock(): MachineClock {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-clock-'));
  const file = join(folder, 'clock');
  const set = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  set(0);
  return {
    env: {
      LD_PRELOAD: library()!,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
