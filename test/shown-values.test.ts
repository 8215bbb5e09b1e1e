// Which values of the shop's contracts a sample of a difference may show as they are: amounts, states and counts, and never
// what says who a customer is, where a mail goes, what was written, or what opens something.
import { expect, test } from 'vitest';
import { catalog } from '../src/modules/catalog/contract.ts';
import { media } from '../src/modules/media/contract.ts';
import { notifications } from '../src/modules/notifications/contract.ts';
import { orders } from '../src/modules/orders/contract.ts';
import { payments } from '../src/modules/payments/contract.ts';
import { users } from '../src/modules/users/contract.ts';

interface Node {
  readonly plain?: boolean;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
}

/** Names of fields that are marked, anywhere. */
function marked(node: Node, name: string): string[] {
  return [
    ...(node.plain ? [name] : []),
    ...Object.entries(node.properties ?? {}).flatMap(([field, one]) => marked(one, field)),
    ...(node.items ? marked(node.items, name) : []),
    ...(node.anyOf ?? []).flatMap((one) => marked(one, name)),
  ];
}

const all = [catalog, media, notifications, orders, payments, users];

test('amounts, states and counts are shown, and nothing else', () => {
  const answers = all.flatMap(({ operations, events }) => [
    ...Object.values(operations).map(({ output }) => output),
    ...Object.values(events).map(({ data }) => data),
  ]);
  const names = new Set(answers.flatMap((schema) => marked(schema as Node, 'the answer')));
  expect([...names].sort()).toEqual(
    [
      ...['amountCents', 'priceCents', 'totalCents', 'unitCents', 'currency'],
      ...['attempts', 'notificationCount', 'quantity', 'stock'],
      ...['compensating', 'running', 'stuck', 'waiting'],
      ...['blocked', 'current', 'how', 'reason', 'role', 'saga', 'state', 'status', 'step', 'style', 'where'],
    ].sort(),
  );
});
