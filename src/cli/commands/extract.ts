// `banyan extract M…`: processes first, the flip when they are healthy. Saying it again starts what is missing.
import { InvalidArgumentError } from 'commander';
import type { Entry } from '../../banyan/placement/admin-contract.ts';
import { connect } from '../client.ts';
import type { Register } from '../register.ts';
import { forEachModule } from '../several.ts';

interface Options {
  readonly instances?: number;
  readonly percent?: number;
  readonly guard?: boolean;
  readonly json?: boolean;
}

export const extract: Register = (program, terminal) => {
  program
    .command('extract')
    .description('move modules into processes of their own: start, wait for health, flip')
    .argument('<module...>', 'the modules')
    .option(
      '-n, --instances <N>',
      'processes of each in all (default: those there are, at least 1)',
      instances,
    )
    .option('-p, --percent <N>', 'give them a share of the requests alone (canary)', share)
    .option('--guard', 'watch them there: they are taken back when their requests fail')
    .option('--json', "print each module's admin answer, one a line")
    .action(async (modules: string[], { instances, percent, guard, json = false }: Options) => {
      const client = connect(terminal, 'extract');
      await forEachModule({
        terminal,
        client,
        json,
        modules,
        work: async (module, before, progress, style) => {
          const wanted = instances ?? Math.max(1, before.desired);
          progress.show(module, `starting ${wanted === 1 ? 'a process' : `${wanted} processes`}`);
          const { body: started } = await client.services(module, wanted);
          progress.show(module, 'healthy, flipping');
          const answer = await client.place(
            module,
            percent === undefined ? { placement: 'service', guard } : { placement: 'canary', percent, guard },
          );
          const word = isSame(before, answer.body) ? 'serves already' : 'serves';
          const part = percent === undefined ? '' : ` ${percent}% of its requests`;
          return { answer, said: `${style('bold', module)} ${word}${part} from ${describe(started)}` };
        },
      });
    });
};

function isSame(before: Entry, after: Entry): boolean {
  const shape = ({ placement, percent, instances }: Entry) =>
    JSON.stringify([placement, percent, instances.map(({ id, pid, healthy }) => [id, pid, healthy])]);
  return shape(before) === shape(after);
}

function describe({ instances }: Entry): string {
  return instances
    .filter(({ healthy }) => healthy)
    .map(({ id, pid }) => `${id} (pid ${pid})`)
    .join(', ');
}

function share(text: string): number {
  const percent = Number(text);
  if (Number.isInteger(percent) && percent >= 1 && percent <= 99) return percent;
  throw new InvalidArgumentError('It takes a whole number from 1 to 99. For all requests leave it out.');
}

function instances(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 16) return count;
  throw new InvalidArgumentError(
    count === 0
      ? 'To stop all of them: npx banyan restore <module>.'
      : 'It takes a whole number from 1 to 16.',
  );
}
