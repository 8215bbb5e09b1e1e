// `banyan events replay TOPIC --from T [--until T] --to CONSUMER`: the past once more, a slice at a time.
import type { Replayed } from '../../banyan/events/operations/schemas.ts';
import { connect } from '../client.ts';
import { createProgress } from '../progress.ts';
import type { Register } from '../register.ts';
import { local, moment, plural, thousands } from '../times.ts';
import { nextSteps } from './events-next.ts';

interface Options {
  readonly from: string;
  readonly until?: string;
  readonly to: string;
  readonly json?: boolean;
}

export const replay: Register = (group, terminal) => {
  group
    .command('replay')
    .description('give past events to one consumer once more; what it would publish is suppressed')
    .argument('<topic>', 'such as users.events')
    .requiredOption('--from <time>', 'since when: 2026-11-21T10:00Z, or how long ago: 2h, 3d', moment)
    .option('--until <time>', 'until when (default: now)', moment)
    .requiredOption('--to <consumer>', 'the module; its listeners must be declared replayable')
    .option('--json', 'print the admin answers unchanged, one a line')
    .action(async (topic: string, _options: Options, command) => {
      const { from, until, to, json = false } = command.optsWithGlobals() as Options;
      const client = connect(terminal, 'events replay');
      const progress = createProgress(terminal, json);
      const sum = { replayed: 0, skipped: 0 };
      let cursor: string | null = null;
      let end = '';
      try {
        do {
          progress.show(to, `${thousands(sum.replayed)} replayed`);
          const body: object = { topic, from, to, ...(until && { until }), ...(cursor && { cursor }) };
          const answer = await client.ask<Replayed>('POST', '/admin/events/replay', {
            body,
            next: nextSteps,
            waitMs: 120_000,
          });
          sum.replayed += answer.body.replayed;
          sum.skipped += answer.body.skipped;
          cursor = answer.body.nextCursor;
          end = answer.body.until;
          if (json) terminal.out.write(`${answer.text}\n`);
        } while (cursor !== null);
      } finally {
        progress.end();
      }
      if (json) return;
      terminal.out.write(
        `${plural(sum.replayed, 'event')} of ${topic} replayed to ${to},\nfrom ${local(from)} to ${local(end)}\n` +
          (sum.skipped > 0
            ? `${plural(sum.skipped, 'other')} passed over: not replayable there, repeated or unreadable\n`
            : ''),
      );
    });
};
