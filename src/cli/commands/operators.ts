// `banyan operators`: who may administer, and what; a token for one more, and an end to one.
import { Option } from 'commander';
import { type Scope, scopes, scopeWords } from '../../banyan/context/scopes.ts';
import type { OperatorAdded, OperatorEntry } from '../../banyan/placement/operators-contract.ts';
import { connect } from '../client.ts';
import { warnOfLagging } from '../lagging.ts';
import { shorten } from '../plain.ts';
import type { Register } from '../register.ts';
import { type Style, styleFor, type Terminal } from '../terminal.ts';
import { local } from '../times.ts';

const HELP = `
Scopes:
${scopes.map((scope) => `  ${scope.padEnd(11)}${scopeWords[scope]}`).join('\n')}

Examples:
  banyan operators                        who there is
  banyan operators add ada --scope place  her token is printed this once
  banyan operators revoke ada             refused everywhere within a second

Use a token by BANYAN_TOKEN. Whoever holds ADMIN_TOKEN has all scopes.`;

interface Json {
  readonly json?: boolean;
}

export const operators: Register = (program, terminal) => {
  const group = program
    .command('operators')
    .description('show who may administer, and what; add and revoke them')
    .option('--json', 'print the admin answer unchanged')
    .addHelpText('after', HELP)
    .action(({ json }: Json) => list(terminal, json));
  group
    .command('list')
    .description('who has a token, and what it is good for')
    .option('--json', 'print the admin answer unchanged')
    .action((_options, command) => list(terminal, (command.optsWithGlobals() as Json).json));
  group
    .command('add')
    .description('make a token for somebody; it is printed this once')
    .argument('<name>', 'a person or a script')
    .addOption(
      new Option('--scope <scope...>', 'what it is good for; may be given several times')
        .choices([...scopes])
        .makeOptionMandatory(),
    )
    .option('--json', 'print {name, scopes, token}')
    .action(async (name: string, { scope }: { scope: Scope[] }, command) => {
      const { json } = command.optsWithGlobals() as Json;
      const client = connect(terminal, 'operators add');
      const { text, body } = await client.ask<OperatorAdded>('POST', '/admin/operators', {
        body: { name, scopes: [...new Set(scope)] },
        next: { invalid: 'npx banyan operators add --help' },
      });
      terminal.out.write(json ? `${text}\n` : drawAdded(body, styleFor(terminal, terminal.out)));
      warnOfLagging(terminal, body.lagging, `takes the token of ${name}`);
    });
  group
    .command('revoke')
    .description('end a token: it is refused everywhere within a second')
    .argument('<name>', 'whose')
    .option('--json', 'print the admin answer unchanged')
    .action(async (name: string, _options, command) => {
      const { json } = command.optsWithGlobals() as Json;
      const client = connect(terminal, 'operators revoke');
      const { text, body } = await client.ask<OperatorEntry & { lagging?: string[]; already?: boolean }>(
        'DELETE',
        `/admin/operators/${encodeURIComponent(name)}`,
        { next: { invalid: 'npx banyan operators list', 'operator-unknown': 'npx banyan operators list' } },
      );
      const bold = styleFor(terminal, terminal.out)('bold', body.name);
      const since = `was revoked before, ${local(body.revokedAt ?? '')}, by ${shorten(body.revokedBy ?? '', 30)}`;
      const said = `the token of ${bold} ${body.already ? since : 'is refused from now on'}\n`;
      terminal.out.write(json ? `${text}\n` : said);
      warnOfLagging(terminal, body.lagging, `refuses the token of ${name}`);
    });
};

async function list(terminal: Terminal, json: boolean | undefined): Promise<void> {
  const client = connect(terminal, 'operators');
  const { text, body } = await client.ask<{ items: OperatorEntry[] }>('GET', '/admin/operators');
  terminal.out.write(json ? `${text}\n` : drawList(body.items, styleFor(terminal, terminal.out)));
}

/** What is said of a token takes 61 of 80 columns; a longer name, which may have to be typed, has a line of its own. */
const NAME = 15;

function drawList(items: readonly OperatorEntry[], style: Style): string {
  const column = Math.min(NAME, Math.max(8, ...items.map(({ name }) => name.length)));
  const lines = items.map(({ name, scopes: has, madeAt, madeBy, revokedAt, revokedBy }) => {
    const what = has.length === scopes.length ? 'all scopes' : has.join(', ');
    const about = revokedAt
      ? style('red', `revoked ${local(revokedAt)} by ${shorten(revokedBy ?? '', 30)}`)
      : style('dim', `since ${local(madeAt)}, by ${shorten(madeBy, 30)}`);
    const indent = ' '.repeat(column + 4);
    const first = name.length > column ? `\n${indent}` : ' '.repeat(column - name.length + 2);
    return `  ${style('bold', name)}${first}${what}\n${indent}${about}`;
  });
  return `\n${lines.join('\n')}\n\n`;
}

function drawAdded({ name, scopes: has, token }: OperatorAdded, style: Style): string {
  return [
    `${style('bold', name)} may: ${has.join(', ')}`,
    '',
    `  BANYAN_TOKEN=${token}`,
    '',
    'It is kept nowhere and not shown again. Whoever has it may do the same.',
    '',
  ].join('\n');
}
