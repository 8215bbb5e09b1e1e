// `banyan` as this repository has it: the command line of any Banyan, the commands of the shop, the comparison, and what a
// pipeline asks of a checkout. The only place that puts them together: the command line knows neither the shop nor a tool.
import { compareCommand } from '../compare/command/compare.ts';
import { affected } from '../pipeline/commands/affected.ts';
import { contract } from '../pipeline/commands/contract.ts';
import type { Application } from '../src/cli/application.ts';
import { run } from '../src/cli/run.ts';
import type { Terminal } from '../src/cli/terminal.ts';
import { saga } from '../src/commands/saga.ts';
import { shopApp } from '../src/shop.ts';

export const shop: Application = {
  commands: [saga, compareCommand, affected(shopApp), contract(shopApp)],
  strict: ['affected', 'contract'],
  examples: [
    ['banyan status', 'where every module serves; what next'],
    ['banyan doctor', 'what is wrong, and what helps'],
    ['banyan extract orders', 'orders becomes a process of its own'],
    ['banyan extract catalog --instances 2', 'two of them, balanced'],
    ['banyan restore orders', 'and back, without losing a request'],
    ['banyan deploy orders 1.5.0 --percent 10', 'two releases of one service'],
    ['banyan logs catalog -f', 'what its processes say'],
    ['banyan events', 'how events are doing; --help for more'],
    ['banyan saga', 'who says what is next; what is stuck'],
    ['banyan verify', 'nothing lost, doubled or out of order?'],
    ['banyan compare', 'both architectures on the same work'],
    ['banyan affected --since origin/main', 'what this branch touches'],
    ['banyan contract diff v1.2.0', 'what it promises otherwise'],
  ],
  suggestions: {
    extractFirst: 'orders',
    extractNever: 'users',
    request: '/api/catalog/products?limit=1',
    sagas: { path: '/admin/saga', command: 'npx banyan saga' },
  },
};

/** Runs one command; answers the exit code. */
export function banyan(words: readonly string[], terminal: Terminal): Promise<number> {
  return run(words, terminal, shop);
}
