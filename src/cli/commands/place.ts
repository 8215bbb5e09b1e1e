// `banyan place M service|in-process`, `canary --percent 10`, or `shadow --mirror 20`: the flip alone.
import { Argument, InvalidArgumentError } from 'commander';
import { servesInWords } from '../../banyan/console/shared/words.ts';
import type { Entry } from '../../banyan/placement/admin-contract.ts';
import { connect, type PlaceWish } from '../client.ts';
import { misusedOption } from '../failure.ts';
import { mirrorsInWords } from '../move-lines.ts';
import type { Register } from '../register.ts';
import { forEachModule } from '../several.ts';

interface Options extends Pick<PlaceWish, 'percent' | 'reason' | 'guard'> {
  readonly mirror?: number;
  readonly mirrorWrites?: number;
  readonly json?: boolean;
}

export const place: Register = (program, terminal) => {
  program
    .command('place')
    .description('flip a module, or a share of its requests; start or stop nothing')
    .argument('<module>', 'the module')
    .addArgument(
      new Argument('<placement>', 'where it is to serve').choices([
        'service',
        'in-process',
        'shadow',
        'canary',
      ]),
    )
    .option('-p, --percent <N>', 'in canary: how many percent of its requests the service gets', percent)
    .option(
      '-m, --mirror <N>',
      'in shadow and canary: how many percent of the reads it is tried on',
      mirrored,
    )
    .option('--mirror-writes <N>', 'in shadow and canary: how many percent of the writes', mirrored)
    .option('--reason <text>', 'why, for `banyan history`')
    .option('--guard', 'watch it there: it is taken back when its requests fail')
    .option('--json', 'print the admin answer unchanged')
    .action(
      async (
        module: string,
        placement: Entry['placement'],
        { json = false, mirror: reads, mirrorWrites: writes, ...how }: Options,
      ) => {
        if (how.percent !== undefined && placement !== 'canary')
          throw misusedOption(
            `--percent goes with canary: ${placement} is ${placement === 'service' ? 'all' : 'none'} of the requests`,
            `npx banyan place ${module} canary --percent ${how.percent}`,
          );
        if (how.guard && placement === 'in-process')
          throw misusedOption(
            '--guard goes with service or canary: in-process there is nothing to take back',
            `npx banyan place ${module} service --guard`,
          );
        const mirrors = reads !== undefined || writes !== undefined;
        if (mirrors && placement !== 'shadow' && placement !== 'canary')
          throw misusedOption(
            `--mirror goes with shadow and canary: in ${placement} nothing is tried`,
            `npx banyan place ${module} shadow --mirror ${reads ?? writes}`,
          );
        const mirror = mirrors ? { reads, writes } : undefined;
        const client = connect(terminal, 'place');
        await forEachModule({
          terminal,
          client,
          json,
          modules: [module],
          work: async (_module, before, _progress, style) => {
            const answer = await client.place(module, { placement, mirror, ...how });
            const inWords = (entry: Entry) =>
              [servesInWords(entry), mirrorsInWords(entry)].filter(Boolean).join(', ');
            const same = inWords(before) === inWords(answer.body);
            const word = same ? 'is already placed' : 'is placed';
            const left = placement === 'in-process' && answer.body.instances.length > 0;
            const note = left ? `; its processes keep running (npx banyan restore ${module} stops them)` : '';
            return { answer, said: `${style('bold', module)} ${word} ${inWords(answer.body)}${note}` };
          },
        });
      },
    );
};

/** What a share may be the server says, as to everybody. */
function percent(text: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a whole number from 1 to 99.');
}

function mirrored(text: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a whole number from 0 to 100.');
}
