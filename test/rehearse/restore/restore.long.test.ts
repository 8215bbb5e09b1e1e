// A shop that is put back to a point, small: `npm run rehearse -- restore` does the same with more orders, and on Kafka.
import { expect, test } from 'vitest';
import { rehearseRestore } from './rehearsal.ts';

test('the store of orders alone put back: the start says which events are of no order any more, and the shop goes on', async () => {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  const outcome = await rehearseRestore({ orders: 20, perSecond: 20, log: 'postgres', what: 'orders', say });
  expect(outcome.wrong, lines.join('\n')).toEqual([]);
  expect(outcome.said.join('\n')).toMatch(/The log is ahead of orders by \d+ events? from orders\.events/);
});

test('put back from a backup that was taken under orders: what was committed up to the point, and nothing else', async () => {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  const outcome = await rehearseRestore({ orders: 40, perSecond: 20, log: 'postgres', say });
  expect(outcome.wrong, lines.join('\n')).toEqual([]);
  expect(outcome.rows).toBeGreaterThan(200);
  expect(outcome.kept).toBeGreaterThan(40);
  expect(outcome.lost).toBeGreaterThanOrEqual(40);
});
