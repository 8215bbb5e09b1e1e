// `banyan deploy M 1.5.0`: a release of a module beside the one before; `--percent` of its keys, and `--back`.
import { InvalidArgumentError } from 'commander';
import { stepsOfDeploy } from '../../banyan/console/shared/deploy-words.ts';
import type { Deployed } from '../../banyan/placement/deploy-contract.ts';
import { type Client, connect } from '../client.ts';
import { deployInWords } from '../deploy-lines.ts';
import { misusedOption } from '../failure.ts';
import { warnOfLagging } from '../lagging.ts';
import { oneLine } from '../plain.ts';
import type { Register } from '../register.ts';
import { styleFor } from '../terminal.ts';

interface Options {
  readonly percent?: number;
  readonly back?: boolean;
  readonly end?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

export const deploy: Register = (program, terminal) => {
  program
    .command('deploy')
    .description('a release of a module beside the one before: none, a share, or all of its keys')
    .argument('<module>', 'the module, which is in its service')
    .argument('[release]', 'as its instances say (RELEASE); default: the one that is deployed')
    .option('-p, --percent <N>', 'how many percent of the keys it gets; a new one none', percent)
    .option('--back', 'the release before serves all again')
    .option('--end', 'it is over: all instances are alike again')
    .option('--reason <text>', 'why, for `banyan history`')
    .option('--json', 'print the admin answer unchanged')
    .action(async (module: string, release: string | undefined, { json, ...how }: Options) => {
      refuseMixed(module, release, how);
      const client = connect(terminal, 'deploy');
      const { text, body } = await ask(client, module, release, how);
      if (json) return void terminal.out.write(`${text}\n`);
      const style = styleFor(terminal, terminal.out);
      const lines = [
        ...deployInWords(body, (name) => style('bold', name)),
        ...(body.note === undefined ? [] : [oneLine(body.note)]),
        ...stepsOfDeploy(body).map(([command]) => `${style('green', 'next')}  ${command}`),
      ];
      terminal.out.write(`${lines.join('\n')}\n`);
      warnOfLagging(terminal, body.lagging, `shares ${module} so`);
    });
};

function ask(client: Client, module: string, release: string | undefined, how: Omit<Options, 'json'>) {
  const path = `/admin/deploys/${encodeURIComponent(module)}`;
  const next = { 'module-unknown': 'npx banyan status', 'no-healthy-instance': 'npx banyan status' };
  if (how.end) return client.ask<Deployed>('DELETE', path, { next });
  const { reason } = how;
  const share = how.back ? 0 : how.percent;
  return client.ask<Deployed>('PUT', path, { body: { release, percent: share, reason }, next });
}

function refuseMixed(module: string, release: string | undefined, { percent, back, end, reason }: Options) {
  const acts = [percent !== undefined && '--percent', back && '--back', end && '--end'].filter(Boolean);
  if (acts.length > 1)
    throw misusedOption(`${acts.join(' and ')} are different wishes`, 'npx banyan deploy --help');
  if (release !== undefined && (back || end))
    throw misusedOption(
      `${acts[0]} is of the release that is deployed`,
      `npx banyan deploy ${module} ${acts[0]}`,
    );
  if (end && reason !== undefined)
    throw misusedOption('--reason goes with a share, or --back', `npx banyan deploy ${module} --end`);
  if (release === undefined && acts.length === 0)
    throw misusedOption(
      'Which release, or which share of the one that is deployed?',
      'npx banyan deploy --help',
    );
}

/** What a share may be the server says, as to everybody. */
function percent(text: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a whole number from 0 to 100.');
}
