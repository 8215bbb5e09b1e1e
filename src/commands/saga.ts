// `banyan saga`: the style in force and what is open; and the group of commands about sagas. A command of this shop:
// its routes, ids and sentences are those of orders. bin/commands.ts hands it to the command line.
import { Argument } from 'commander';
import type { Unhandled } from '../banyan/console/shared/held.ts';
import { type Client, connect } from '../cli/client.ts';
import type { Register } from '../cli/register.ts';
import { styleFor, type Terminal } from '../cli/terminal.ts';
import type { SagaInForce, SagaOfOrder, SagaOverview, SagaStyle } from '../modules/orders/contract.ts';
import { drawSaga, drawSagas } from './saga-picture.ts';

const EXAMPLES = `
Examples:
  banyan saga                        style in force; running, waiting, stuck
  banyan saga style orchestration    for orders placed from now on
  banyan saga show ORDER             its timeline: where, how often, why
  banyan saga retry ORDER            one that is stuck: ask again
  banyan saga cancel ORDER           one that is stuck: take back what was done`;

/** Steps after a problem that are better than the server's own words. */
const next = {
  'order-unknown': 'npx banyan saga lists those that are stuck',
  invalid: 'npx banyan saga --help',
};

export const saga: Register = (program, terminal) => {
  const group = program
    .command('saga')
    .description('show how orders come to their end; choose who says what comes next')
    .option('--json', 'print the admin answer unchanged')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json }: { json?: boolean }) => {
      const client = connect(terminal, 'saga');
      const { text, body } = await client.ask<SagaOverview>('GET', '/admin/saga');
      const looks = { style: styleFor(terminal, terminal.out), now: Date.now() };
      const keys = json ? [] : body.stuckOrders.map(({ orderId }) => orderId);
      const events = await unhandled(client, keys);
      terminal.out.write(json ? `${text}\n` : drawSagas(body, events ?? [], client.url, looks));
    });
  group
    .command('style')
    .description('set the style of orders placed from now on; open ones end as they began')
    .addArgument(
      new Argument('<style>', 'who says what comes next').choices(['choreography', 'orchestration']),
    )
    .option('--json', 'print the admin answer unchanged')
    .action(async (style: SagaStyle, _options, command) => {
      const { json } = command.optsWithGlobals() as { json?: boolean };
      const client = connect(terminal, 'saga style');
      const { text, body } = await client.ask<SagaInForce>('PUT', '/admin/saga', { body: { style } });
      const bold = styleFor(terminal, terminal.out)('bold', body.style);
      terminal.out.write(json ? `${text}\n` : `orders placed from now on are coordinated by ${bold}\n`);
    });
  ofOrder(group, terminal, 'show', 'show the timeline of an order', 'GET', '');
  ofOrder(group, terminal, 'retry', 'ask again, where an order is stuck', 'POST', '/retry');
  ofOrder(group, terminal, 'cancel', 'take back what was done for an order that is stuck', 'POST', '/cancel');
};

function ofOrder(
  group: Parameters<Register>[0],
  terminal: Terminal,
  name: string,
  description: string,
  method: 'GET' | 'POST',
  path: string,
): void {
  group
    .command(name)
    .description(description)
    .argument('<order>', 'the id of the order')
    .option('--json', 'print the admin answer unchanged')
    .action(async (order: string, _options, command) => {
      const { json } = command.optsWithGlobals() as { json?: boolean };
      const client = connect(terminal, `saga ${name}`);
      const at = `/admin/saga/${encodeURIComponent(order)}${path}`;
      const { text, body } = await client.ask<SagaOfOrder>(method, at, { next });
      const looks = { style: styleFor(terminal, terminal.out), now: Date.now() };
      const events = await unhandled(client, json || body.state === 'finished' ? [] : [order]);
      terminal.out.write(json ? `${text}\n` : drawSaga(body, events, looks));
    });
}

/** What of these keys was not handled; undefined: it is not known here, as of a gateway alone or by a token for sagas alone. */
async function unhandled(client: Client, keys: readonly string[]): Promise<readonly Unhandled[] | undefined> {
  if (keys.length === 0) return [];
  const path = `/admin/events/unhandled?${new URLSearchParams({ keys: keys.join(',') })}`;
  try {
    return (await client.ask<{ items: Unhandled[] }>('GET', path)).body.items;
  } catch {
    return undefined;
  }
}
