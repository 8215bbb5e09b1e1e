// What can be done to a ladder that there is: look, pause, resume, promote, demote, stop; and the answers that differed.
import type { Command } from 'commander';
import type { Ladder, Sample } from '../../banyan/ladder/desk/contract.ts';
import { type Client, connect } from '../client.ts';
import { drawLadder, drawSamples, headline } from '../ladder-picture.ts';
import { styleFor, type Terminal } from '../terminal.ts';

interface Options {
  readonly json?: boolean;
  readonly reason?: string;
}

export const pathOf = (module: string, ...rest: readonly string[]) =>
  ['/admin/ladders', encodeURIComponent(module), ...rest].join('/');

export function acts(group: Command, terminal: Terminal): void {
  const looks = () => ({ style: styleFor(terminal, terminal.out), now: Date.now() });
  const next = (module: string) => ({
    'ladder-not-running': `npx banyan ladder status ${module}`,
    invalid: 'npx banyan ladder --help',
  });

  group
    .command('status')
    .description('where it is, and on what evidence')
    .argument('<module>', 'the module')
    .option('--json', 'print the admin answer unchanged')
    .action(async (module: string, _options: Options, command: Command) => {
      const { json } = command.optsWithGlobals() as Options;
      const client = connect(terminal, 'ladder status');
      const { text, body } = await client.ask<Ladder>('GET', pathOf(module));
      terminal.out.write(json ? `${text}\n` : drawLadder(body, looks(), await mirrorPaused(client, body)));
    });

  group
    .command('samples')
    .description('answers of both sides that differed')
    .argument('<module>', 'the module')
    .option('--json', 'print the admin answer unchanged')
    .action(async (module: string, _options: Options, command: Command) => {
      const { json } = command.optsWithGlobals() as Options;
      const client = connect(terminal, 'ladder samples');
      const { text, body } = await client.ask<{ items: Sample[] }>('GET', pathOf(module, 'samples'));
      terminal.out.write(json ? `${text}\n` : drawSamples(module, body.items, looks()));
    });

  const act = (name: string, does: string) =>
    group
      .command(name)
      .description(does)
      .argument('<module>', 'the module')
      .option('--reason <text>', 'why, for the history')
      .option('--json', 'print the admin answer unchanged')
      .action(async (module: string, _options: Options, command: Command) => {
        const { json, reason } = command.optsWithGlobals() as Options;
        const client = connect(terminal, `ladder ${name}`);
        const { text, body } = await client.ask<Ladder>('POST', pathOf(module, name), {
          body: reason === undefined ? {} : { reason },
          next: next(module),
        });
        terminal.out.write(json ? `${text}\n` : said(body, terminal));
      });
  act('pause', 'climb no further for now; the share stays');
  act('resume', 'go on where it was paused');
  act('promote', 'the next rung now, whatever the evidence');
  act('demote', 'back into the monolith now');

  group
    .command('stop')
    .description('end the ladder; the module stays where it is')
    .argument('<module>', 'the module')
    .option('--reason <text>', 'why, for the history')
    .option('--json', 'print the admin answer unchanged')
    .action(async (module: string, _options: Options, command: Command) => {
      const { json, reason } = command.optsWithGlobals() as Options;
      const why = reason === undefined ? '' : `?${new URLSearchParams({ reason })}`;
      const client = connect(terminal, 'ladder stop');
      const { text, body } = await client.ask<Ladder>('DELETE', `${pathOf(module)}${why}`);
      terminal.out.write(json ? `${text}\n` : said(body, terminal));
    });
}

/** Why what should be tried on its service is not at the moment. It is no part of the ladder: without an answer nothing is said. */
async function mirrorPaused(client: Client, { module, state }: Ladder): Promise<string | undefined> {
  if (state !== 'running' && state !== 'paused') return undefined;
  const placements = await client.placements().catch(() => undefined);
  return placements?.body.modules.find((one) => one.module === module)?.mirrorPaused;
}

function said(ladder: Ladder, terminal: Terminal): string {
  const style = styleFor(terminal, terminal.out);
  return `${style('bold', ladder.module)} ${headline(ladder, Date.now())}\n`;
}
