// One piece of work for each of several modules, at once; the answers in the order in which they were named,
// one JSON body a line with --json. One that fails does not stop the others, and makes the command fail.
import type { Entry } from '../banyan/placement/admin-contract.ts';
import type { Answer, Client, Flipped } from './client.ts';
import { Failure, report } from './failure.ts';
import { oneLine } from './plain.ts';
import { createProgress, type Progress } from './progress.ts';
import { type Style, styleFor, type Terminal } from './terminal.ts';

export interface Done {
  readonly answer: Answer<Flipped>;
  /** For people. Undefined: nothing worth saying. */
  readonly said: string | undefined;
}

export interface SeveralOptions {
  readonly terminal: Terminal;
  readonly client: Client;
  readonly json: boolean;
  readonly modules: readonly string[];
  readonly work: (module: string, before: Entry, progress: Progress, style: Style) => Promise<Done>;
}

/** Throws the last failure, after all the others were reported. */
export async function forEachModule({
  terminal,
  client,
  json,
  modules,
  work,
}: SeveralOptions): Promise<void> {
  const { body } = await client.placements();
  const progress = createProgress(terminal, json);
  const style = styleFor(terminal, terminal.out);
  const settled = await Promise.allSettled(
    [...new Set(modules)].map(async (module) => {
      const before = body.modules.find((entry) => entry.module === module);
      // The server knows best how to say that there is none.
      if (!before)
        throw await client.place(module, { placement: 'in-process' }).catch((error: unknown) => error);
      return work(module, before, progress, style);
    }),
  );
  progress.end();
  const failures: Failure[] = [];
  for (const one of settled) {
    if (one.status === 'rejected') {
      if (!(one.reason instanceof Failure)) throw one.reason;
      failures.push(one.reason);
      if (json) report(one.reason, terminal, true);
    } else if (json) terminal.out.write(`${one.value.answer.text}\n`);
    else if (one.value.said) terminal.out.write(`${[one.value.said, ...noteOf(one.value)].join('\n')}\n`);
    if (one.status === 'fulfilled' && !json) warnOfLagging(one.value, terminal);
  }
  if (failures.length === 0) return;
  if (!json) for (const one of failures) report(one, terminal, false);
  throw new Reported();
}

/** What is to be said was said already; only the exit code is left. */
export class Reported extends Error {
  readonly exitCode: number;

  constructor(exitCode = 1) {
    super();
    this.exitCode = exitCode;
  }
}

/** What else came of it: a ladder that is stopped, a watch. */
const noteOf = ({ answer: { body } }: Done) => (body.note === undefined ? [] : [`  ${oneLine(body.note)}`]);

function warnOfLagging({ answer }: Done, terminal: Terminal): void {
  const { lagging, module } = answer.body;
  if (!lagging?.length) return;
  const style = styleFor(terminal, terminal.err);
  terminal.err.write(
    `${style('yellow', 'slow')}  ${lagging.join(', ')} had not applied the placement of ${module} after 2 s\n` +
      `${style('green', 'next')}  npx banyan status\n`,
  );
}
