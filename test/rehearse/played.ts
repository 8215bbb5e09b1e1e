// One rehearsal as a command: progress on stderr, what was found on stdout, Ctrl-C that ends all of it, and the exit code. It
// knows nothing of what is rehearsed.

export interface Meanwhile {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Found {
  /** What is printed. */
  readonly shown: string;
  readonly wrong: readonly unknown[];
}

/** Ends the process. Exit 0: all held; 1: something differed; 130: it was interrupted. */
export async function played(rehearse: (meanwhile: Meanwhile) => Promise<Found>): Promise<never> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => stop.abort(new Error('The rehearsal was interrupted')));
  const say = (line: string) => process.stderr.write(`${line}\n`);
  try {
    const { shown, wrong } = await rehearse({ say, signal: stop.signal });
    process.stdout.write(shown);
    process.exit(wrong.length === 0 ? 0 : 1);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.stderr.write('Interrupted: all that the rehearsal started is gone.\n');
    process.exit(130);
  }
}

export const asJson = (found: unknown): string => `${JSON.stringify(found, null, 2)}\n`;
