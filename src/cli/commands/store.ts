// `banyan store`: where the stores are, and the commands that move one there and back. They watch until it is done, and
// whoever stops watching stops nothing.
import type { Command } from 'commander';
import type { Store, StoreEntry } from '../../banyan/servers/desk/contract.ts';
import { connect } from '../client.ts';
import { misusedOption } from '../failure.ts';
import type { Register } from '../register.ts';
import { drawStore, drawStores } from '../store-picture.ts';
import { styleFor, type Terminal } from '../terminal.ts';
import { follow } from './store-follow.ts';
import { pathOf } from './store-path.ts';

interface Options {
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly rehearse?: boolean;
  readonly loseUnreplicated?: boolean;
  readonly json?: boolean;
}

const HELP = `
Examples:
  banyan store                              where every store is
  banyan store move orders --dry-run        whether it can be moved
  banyan store move orders                  to a server of its own, in DATA_DIR
  banyan store move orders --to big         to the one that STORE_BIG_URL names
  banyan store back orders                  to where it came from, at once
  banyan store finish orders                the pair ends; it stays where it is

Exit code: 0 done, 3 rolled back, or ended by somebody (and why), 4 refused by
the pre-flight.
Ctrl-C leaves it running.`;

export const store: Register = (program, terminal) => {
  const group = program
    .command('store')
    .description('the servers that stores are on; move one there and back, while it runs')
    .option('--json', 'print the admin answer unchanged')
    .addHelpText('after', HELP)
    .action(async ({ json }: Options) => {
      const { text, body } = await connect(terminal, 'store').ask<{
        items: StoreEntry[];
        stays: Store['stays'];
      }>('GET', '/admin/stores');
      terminal.out.write(json ? `${text}\n` : drawStores(body.items, body.stays ?? [], looks(terminal)));
    });

  group
    .command('show')
    .description('where one is, what is being done to it, and its numbers')
    .argument('<module>', 'the module')
    .option('--json', 'print the admin answer unchanged')
    .action(async (module: string, _options: Options, command: Command) => {
      const { json } = command.optsWithGlobals() as Options;
      const { text, body } = await connect(terminal, 'store show').ask<Store>('GET', pathOf(module));
      terminal.out.write(json ? `${text}\n` : drawStore(body, looks(terminal)));
    });

  moves(group as Command, terminal);

  const act = (name: 'verify' | 'finish' | 'abort', does: string) =>
    group
      .command(name)
      .description(does)
      .argument('<module>', 'the module')
      .option('--json', 'print the admin answer unchanged, when it ends')
      .action((module: string, _options: Options, command: Command) => {
        const { json = false } = command.optsWithGlobals() as Options;
        return follow({
          terminal,
          module,
          command: `store ${name}`,
          json,
          method: 'POST',
          path: pathOf(module, name),
        });
      });
  act('verify', 'compare every row of both servers');
  act('finish', 'end the pair; the store stays where it is');
  act('abort', 'end a move before its commit point; all is as before');
};

function moves(group: Command, terminal: Terminal): void {
  group
    .command('move')
    .description('to a server of its own, or to a named one')
    .argument('<module>', 'the module')
    .option('--to <server>', 'own (in DATA_DIR), shared, or the NAME of STORE_<NAME>_URL', 'own')
    .option('--dry-run', 'look whether it can be moved; change nothing')
    .option('--rehearse', 'everything but the commit point, then as before')
    .option('--json', 'print the admin answer unchanged, when it ends')
    .action(async (module: string, _options: Options, command: Command) => {
      const { to, dryRun, rehearse, json = false } = command.optsWithGlobals() as Options;
      const server = name(to!, module);
      if (dryRun && rehearse)
        throw misusedOption(
          '--dry-run and --rehearse do not go together: a rehearsal looks first, too',
          `npx banyan store move ${module} --rehearse`,
        );
      if (await isThere(module, server, terminal, json)) return;
      const body = { server, ...(dryRun && { dryRun }), ...(rehearse && { rehearse }) };
      return follow({
        terminal,
        module,
        command: 'store move',
        json,
        method: 'PUT',
        path: pathOf(module),
        body,
      });
    });

  group
    .command('back')
    .description('to the server that follows')
    .argument('<module>', 'the module')
    .option('--lose-unreplicated', 'its server is lost for good: without what the other one has not got')
    .option('--json', 'print the admin answer unchanged, when it ends')
    .action(async (module: string, _options: Options, command: Command) => {
      const { loseUnreplicated, json = false } = command.optsWithGlobals() as Options;
      const given = { terminal, module, command: 'store back', json } as const;
      if (!loseUnreplicated) return follow({ ...given, method: 'POST', path: pathOf(module, 'back') });
      const { body } = await connect(terminal, 'store back').ask<Store>('GET', pathOf(module));
      const wish = { server: body.pairedWith ?? body.server, loseUnreplicated };
      return follow({ ...given, method: 'PUT', path: pathOf(module), body: wish });
    });
}

const looks = (terminal: Terminal) => ({ style: styleFor(terminal, terminal.out), now: Date.now() });

function name(text: string, module: string): string {
  const lower = text.toLowerCase();
  if (/^[a-z][a-z0-9-]{0,49}$/.test(lower)) return lower;
  throw misusedOption(
    `--to takes own, shared, or the NAME of a STORE_<NAME>_URL; "${text}" is none`,
    `npx banyan store move ${module} --to own`,
  );
}

/** There is nothing to do, and nothing was asked for. */
async function isThere(module: string, server: string, terminal: Terminal, json: boolean): Promise<boolean> {
  const { text, body } = await connect(terminal, 'store move').ask<Store>('GET', pathOf(module));
  if (body.server !== server || body.state === 'moving') return false;
  const style = styleFor(terminal, terminal.out);
  terminal.out.write(json ? `${text}\n` : `${style('bold', module)} is on ${server} already\n`);
  return true;
}
