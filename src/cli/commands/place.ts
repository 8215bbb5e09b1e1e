// `banyan place M service|in-process`: the flip alone.
import { Argument } from 'commander';
import type { Entry } from '../../banyan/placement/admin-contract.ts';
import { connect } from '../client.ts';
import type { Register } from '../register.ts';
import { forEachModule } from '../several.ts';

export const place: Register = (program, terminal) => {
  program
    .command('place')
    .description('flip a module and start or stop nothing')
    .argument('<module>', 'the module')
    .addArgument(new Argument('<placement>', 'where it is to serve').choices(['service', 'in-process']))
    .option('--json', 'print the admin answer unchanged')
    .action(async (module: string, placement: Entry['placement'], { json = false }: { json?: boolean }) => {
      const client = connect(terminal, 'place');
      await forEachModule({
        terminal,
        client,
        json,
        modules: [module],
        work: async (_module, before, _progress, style) => {
          const answer = await client.place(module, placement);
          const word = before.placement === placement ? 'is already placed' : 'is placed';
          const left = placement === 'in-process' && answer.body.instances.length > 0;
          const note = left ? `; its processes keep running (npx banyan restore ${module} stops them)` : '';
          return { answer, said: `${style('bold', module)} ${word} ${placement}${note}` };
        },
      });
    });
};
