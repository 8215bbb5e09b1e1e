// Who did something, and who may: the name that was proven, and no word of his own in its place.
import { expect, test } from 'vitest';
import { anonymous, doneBy, firstOperator, mayDo, type Principal } from './principal.ts';
import { scopes } from './scopes.ts';

const ada: Principal = { kind: 'operator', name: 'ada', scopes: ['place'] };

test('a history has the name that was proven, and beside it what was said', () => {
  expect(doneBy(firstOperator)).toBe('operator');
  expect(doneBy(firstOperator, 'root@host')).toBe('operator (root@host)');
  expect(doneBy(ada, 'grace')).toBe('ada (grace)');
  expect(doneBy({ kind: 'user', id: 'u', role: 'admin', epoch: 0, session: 's' })).toBe('user u');
});

test('a scope is its holder’s alone, and who has ADMIN_TOKEN has all', () => {
  expect(scopes.filter((one) => mayDo(ada, one))).toEqual(['place']);
  expect(scopes.every((one) => mayDo(firstOperator, one))).toBe(true);
  expect([mayDo(ada, ['read', 'place']), mayDo(ada, []), mayDo(anonymous, 'place')]).toEqual([
    true,
    false,
    false,
  ]);
});
