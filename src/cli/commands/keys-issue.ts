// `banyan keys issue` and `banyan keys revoke`: a key pair for a service that somebody else starts, in compose, on another
// machine or in another language, and its end. What that service must be told is printed with it, this once.
import type { Command } from 'commander';
import type { Issued, Keys } from '../../banyan/placement/key-contract.ts';
import { type Client, connect } from '../client.ts';
import { SHOWN } from '../keys-picture.ts';
import { warnOfLagging } from '../lagging.ts';
import { type Style, styleFor, type Terminal } from '../terminal.ts';

interface Json {
  readonly json?: boolean;
}

/** @param group the commands about keys. */
export function issueAndRevoke(group: Command, terminal: Terminal): void {
  group
    .command('issue')
    .description('a key for a service that somebody else starts; it is printed this once')
    .argument('<service>', 'a module that it runs, and is named after')
    .option('--modules <list>', 'what it may run, with commas between; default: that module')
    .option('--json', 'print {kid, name, modules, key}')
    .action(async (name: string, { modules }: { modules?: string }, command) => {
      const { json } = command.optsWithGlobals() as Json;
      const list = modules?.split(',').map((one) => one.trim());
      const { text, body } = await connect(terminal, 'keys issue').ask<Issued>('POST', '/admin/keys', {
        body: { name, ...(list && { modules: list }) },
        next: { invalid: 'npx banyan keys issue --help', 'module-unknown': 'npx banyan status' },
      });
      terminal.out.write(json ? `${text}\n` : drawIssued(body, styleFor(terminal, terminal.out)));
    });
  group
    .command('revoke')
    .description('end a key that was issued, at once, and whoever speaks by it')
    .argument('<kid>', 'as banyan keys shows it; after -- where it begins with a dash')
    .option('--json', 'print the admin answer unchanged')
    .action(async (given: string, _options, command) => {
      const { json } = command.optsWithGlobals() as Json;
      const client = connect(terminal, 'keys revoke');
      const kid = await wholeKid(client, given);
      const { text, body } = await client.ask<{ lagging?: string[] }>(
        'DELETE',
        `/admin/keys/${encodeURIComponent(kid)}`,
        {
          next: { 'key-unknown': 'npx banyan keys', 'key-present': 'npx banyan keys rotate internal' },
        },
      );
      terminal.out.write(json ? `${text}\n` : `whoever speaks by ${kid} is refused from now on\n`);
      warnOfLagging(terminal, body.lagging, `refuses ${kid}`);
    });
}

/** `banyan keys` shows a kid by its first characters. What fits no key, or two, is passed on, and refused there. */
async function wholeKid(client: Client, given: string): Promise<string> {
  const start = given.replace(/…$/, '');
  if (start.length < SHOWN) return given;
  const { body } = await client.ask<Keys>('GET', '/admin/keys');
  const found = body.items.filter(({ purpose, kid }) => purpose === 'internal' && kid.startsWith(start));
  return found.length === 1 ? found[0]!.kid : given;
}

/** A kid may begin with a dash, and would be an option. */
export const toRevoke = (kid: string) => `npx banyan keys revoke ${kid.startsWith('-') ? '-- ' : ''}${kid}`;

function drawIssued({ kid, name, modules, key }: Issued, style: Style): string {
  const databases = modules.map((module) => {
    const url = `DATABASE_URL_${module.toUpperCase().replaceAll('-', '_')}`;
    return `  ${url}=postgres://…      as its monoliths have it`;
  });
  return [
    `${style('bold', name)} has a key of its own, ${kid}, and may run: ${modules.join(', ')}`,
    '',
    `  SERVICE_KEY='${JSON.stringify(key)}'`,
    '',
    'It is kept nowhere and not shown again. The service is told besides:',
    '',
    `  INSTANCE_ID=${name}-1            a number of its own for each process`,
    '  CONTROL_URL=http://…:4000      the internal port of a monolith',
    '  ADVERTISE_URL=http://…:4000    itself; a place in SERVICE_NETWORKS of monoliths',
    ...databases,
    '  BROKER_URL=kafka://…           as its own user, where the log is Kafka',
    '',
    `In compose: ${name.toUpperCase().replaceAll('-', '_')}_SERVICE_KEY in .env. Another language: docs/protocol.md`,
    `To end it: ${toRevoke(kid)}`,
    '',
  ].join('\n');
}
