// `banyan restore M…`: the flip back first, then the drain, then the end of the processes. When requests do
// not end in time nothing is stopped.
import { InvalidArgumentError } from 'commander';
import type { Entry } from '../../banyan/placement/admin-contract.ts';
import { connect } from '../client.ts';
import { misused } from '../failure.ts';
import type { Register } from '../register.ts';
import { type Done, forEachModule } from '../several.ts';

interface Options {
  readonly all?: boolean;
  readonly timeout: number;
  readonly json?: boolean;
}

export const restore: Register = (program, terminal) => {
  program
    .command('restore')
    .description('bring modules back into the monolith: flip, drain, stop their processes')
    .argument('[module...]', 'the modules')
    .option('--all', 'all of them')
    .option('--timeout <time>', 'how long requests may take to end, for example 30s or 2m', duration, 30_000)
    .option('--json', "print each module's admin answer, one a line")
    .action(async (named: string[], { all = false, timeout, json = false }: Options) => {
      if (named.length === 0 && !all)
        throw misused('Which module?', 'npx banyan restore orders, or npx banyan restore --all');
      if (named.length > 0 && all)
        throw misused('Either --all or names, not both', 'npx banyan restore --all');
      const client = connect(terminal, 'restore');
      const everything = all ? (await client.placements()).body.modules.map(({ module }) => module) : named;
      let told = false;
      await forEachModule({
        terminal,
        client,
        json,
        modules: everything,
        work: async (module, before, progress, style): Promise<Done> => {
          progress.show(module, 'flipping back');
          const { body: flipped } = await client.place(module, { placement: 'in-process' });
          progress.show(module, 'waiting for its requests to end');
          const answer = await client.services(module, 0, timeout);
          const nothing = isRestored(before);
          told ||= !nothing || !all;
          const said = `${style('bold', module)} serves ${nothing ? 'already ' : ''}in the monolith${left(answer.body)}`;
          const lagging = flipped.lagging && { lagging: flipped.lagging };
          const note = flipped.note === undefined ? {} : { note: flipped.note };
          return {
            answer: { text: answer.text, body: { ...answer.body, ...lagging, ...note } },
            said: nothing && all ? undefined : said,
          };
        },
      });
      if (!told && !json) terminal.out.write('All modules serve in the monolith already.\n');
    });
};

const isRestored = ({ placement, instances, desired }: Entry) =>
  placement === 'in-process' && desired === 0 && !instances.some(({ supervised }) => supervised);

/** Processes that were started elsewhere are not ours to stop. */
function left({ instances }: Entry): string {
  const others = instances.filter(({ supervised }) => !supervised).map(({ id, pid }) => `${id} (pid ${pid})`);
  return others.length > 0 ? `; ${others.join(', ')} was started elsewhere and keeps running` : '';
}

function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text);
  const ms = match ? Math.round(Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] ?? 's']!) : 0;
  if (ms >= 1 && ms <= 600_000) return ms;
  throw new InvalidArgumentError('It takes a time up to 10 minutes, for example 500ms, 30s or 2m.');
}
