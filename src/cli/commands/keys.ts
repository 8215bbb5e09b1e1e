// `banyan keys`: which keys there are; and the group of commands about them.
import { Argument } from 'commander';
import type { Keys, Rotated } from '../../banyan/placement/key-contract.ts';
import { connect } from '../client.ts';
import { Failure, failure } from '../failure.ts';
import { drawKeys } from '../keys-picture.ts';
import type { Register } from '../register.ts';
import { styleFor, type Terminal } from '../terminal.ts';
import { issueAndRevoke, toRevoke } from './keys-issue.ts';

const EXAMPLES = `
Examples:
  banyan keys                   every key that is published, and since when
  banyan keys rotate session    sign sessions by a new one; none of them ends
  banyan keys rotate seal       seal texts by new ones
  banyan keys rotate internal   new keys for hosts; processes started here are
                                replaced while they serve, and old keys end
  banyan keys issue media       a key for a service that is started elsewhere
  banyan keys revoke <kid>      its end, at once`;

interface Json {
  readonly json?: boolean;
}

export const keys: Register = (program, terminal) => {
  const group = program
    .command('keys')
    .description('show the keys of sessions, hosts and sealed texts; replace them')
    .option('--json', 'print the admin answer unchanged')
    .addHelpText('after', EXAMPLES)
    .action(({ json }: Json) => list(terminal, json));
  group
    .command('list')
    .description('every key that is published, and since when')
    .option('--json', 'print the admin answer unchanged')
    .action((_options, command) => list(terminal, (command.optsWithGlobals() as Json).json));
  group
    .command('rotate')
    .description('new keys in place of the present ones, while everything runs')
    .addArgument(new Argument('<purpose>', 'what they are for').choices(['session', 'seal', 'internal']))
    .option('--json', 'print the admin answer unchanged')
    .action(async (purpose: string, _options, command) => {
      const { json } = command.optsWithGlobals() as Json;
      const client = connect(terminal, 'keys rotate');
      const { text, body } = await client.ask<Rotated>('POST', `/admin/keys/${purpose}/rotate`, {
        body: {},
        waitMs: ROTATED_MS,
      });
      if (!body.rotated) throw waiting(purpose, body, text);
      const present = body.items.filter(
        ({ signsFrom, retiredAt, issued }) => signsFrom !== null && retiredAt === null && !issued,
      );
      const said = present.map(({ name, kid }) => `${name} has the key ${kid} from now on\n`).join('');
      terminal.out.write(json ? `${text}\n` : said + (purpose === 'internal' ? remaining(body) : ''));
    });
  issueAndRevoke(group, terminal);
};

async function list(terminal: Terminal, json: boolean | undefined): Promise<void> {
  const { text, body } = await connect(terminal, 'keys').ask<Keys>('GET', '/admin/keys');
  const options = { style: styleFor(terminal, terminal.out), now: Date.now() };
  terminal.out.write(json ? `${text}\n` : drawKeys(body.items, options));
}

/** Internal keys: processes are replaced meanwhile, one after the other where the machine is busy. */
const ROTATED_MS = 120_000;

/** What a rotation of internal keys leaves to a person. */
function remaining({ items, outgoing = [] }: Rotated): string {
  const late = outgoing.map((id) => `${id} still speaks by an old key: it is being replaced\n`);
  const issued = items.filter(({ issued, retiredAt }) => issued && retiredAt === null);
  const theirs = issued.map(
    ({ name, kid }) =>
      `${name} has a key that was issued, and keeps it. A new one: npx banyan keys issue ${name}, start it with that, ${toRevoke(kid)}\n`,
  );
  return [...late, ...theirs].join('');
}

/** With --json the answer itself, and exit code 1. */
function waiting(purpose: string, { lagging = [] }: Rotated, text: string): Failure {
  const { problem, next } = failure(
    'lagging',
    504,
    'Not every host knows the new keys yet',
    `${lagging.join(', ')} did not say so in time. The new keys are announced and the old ones sign on.`,
    `npx banyan keys rotate ${purpose}, once npx banyan status shows them healthy or no more`,
  );
  return new Failure(problem, next, text);
}
