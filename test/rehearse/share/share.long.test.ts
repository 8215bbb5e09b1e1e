// The share rehearsed, small: `npm run rehearse -- share` does the same with 100,000 requests.
import { expect, test } from 'vitest';
import { rehearseShare } from './rehearsal.ts';

test('1,500 requests while two shares are changed 10 times: none failed, each key on its side', async () => {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  const outcome = await rehearseShare({ requests: 1_500, changes: 10, keys: 40, seed: 3, say });
  expect(outcome.wrong, lines.join('\n')).toEqual([]);
  const { changes, sets } = outcome;
  expect(changes).toMatchObject({ changes: 10, failed: 0, unsticky: 0 });
  expect(changes.settled).toBeGreaterThan(0);
  expect(Object.keys(changes.hosts).sort()).toEqual(['gateway-1', 'monolith', 'monolith-b']);
  expect(sets.map(({ percent }) => percent)).toEqual([1, 10, 50, 10, 0, 100]);
});
