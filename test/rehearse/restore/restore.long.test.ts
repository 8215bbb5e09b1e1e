// A shop that is put back to a point, small: `npm run rehearse -- restore` does the same with more orders, and on Kafka.
import { expect, test } from 'vitest';
import { rehearseRestore } from './rehearsal.ts';

test('put back from a backup that was taken under orders: what was committed up to the point, and nothing else', async () => {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  const outcome = await rehearseRestore({ orders: 40, perSecond: 20, log: 'postgres', say });
  expect(outcome.wrong, lines.join('\n')).toEqual([]);
  expect(outcome.rows).toBeGreaterThan(200);
  expect(outcome.kept).toBeGreaterThan(40);
  expect(outcome.lost).toBeGreaterThanOrEqual(40);
});
