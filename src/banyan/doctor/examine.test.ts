// A look as a whole: nothing that fails or hangs is taken for well or holds up the rest, and it is made once for all who ask.
import { expect, test } from 'vitest';
import { type Check, createExamination } from './examine.ts';
import { error, ok, warning } from './finding.ts';

const check = (name: string, look: Check['look']): Check => ({ name, subject: 'all', look });
const never = () => new Promise<never>(() => {});

test('what fails and what hangs are findings of their own, and the worst comes first', async () => {
  const examine = createExamination(
    'monolith',
    async () => [
      check('a', async () => [ok('a', 'x', 'well'), warning('a', 'y', 'so so', 'mend it')]),
      check('b', never),
      check('c', async () => {
        throw new Error('it is away');
      }),
      check('d', async () => [error('d', 'z', 'broken', 'mend it')]),
    ],
    50,
  );
  const { items, host } = await examine();
  expect(host).toBe('monolith');
  expect(items.map(({ check: name, level, found }) => [name, level, found])).toEqual([
    ['d', 'error', 'broken'],
    ['a', 'warning', 'so so'],
    ['b', 'unknown', 'not checked: no answer within 0.05 s'],
    ['c', 'unknown', 'not checked: it is away'],
    ['a', 'ok', 'well'],
  ]);
  for (const { level, remedy } of items) expect(remedy === null).toBe(level === 'ok');
});

test('who asks meanwhile gets the same look, who asks afterwards a new one', async () => {
  let looks = 0;
  const examine = createExamination('monolith', async () => {
    looks += 1;
    return [];
  });
  const [one, other] = await Promise.all([examine(), examine()]);
  expect(other).toBe(one);
  await examine();
  expect(looks).toBe(2);
});
