// What changed between two pictures, told and applied.
import { expect, test } from 'vitest';
import { applied, deltaOf } from './delta.ts';

const before = {
  at: 1,
  modules: { a: { side: 'x', rates: [1, 2] }, 'b/~c': { side: null } },
  same: { deep: { n: 1 } },
};

test.each([
  ['nothing', before],
  ['a leaf', { ...before, at: 2 }],
  ['a list, whole', { ...before, modules: { ...before.modules, a: { side: 'x', rates: [1, 3] } } }],
  ['a name with slash and tilde', { ...before, modules: { ...before.modules, 'b/~c': { side: 'y' } } }],
  ['one that came and one that went', { ...before, modules: { 'b/~c': { side: null }, d: { side: 'z' } } }],
  ['null for a whole', { ...before, same: null }],
  ['an object for a leaf', { ...before, at: { n: 1 } }],
  ['everything', { at: 9 }],
])('%s', (_what, after) => {
  const delta = JSON.parse(JSON.stringify(deltaOf(before, after)));
  expect(applied(before as object, delta)).toEqual(after);
});

test('what is the same is not told, and stays the same object', () => {
  const after = { ...structuredClone(before), at: 2 };
  const delta = deltaOf(before, after);
  expect(delta).toEqual({ set: [['/at', 2]], drop: [] });
  const made = applied(before, delta);
  expect(made.modules).toBe(before.modules);
  expect(made.same).toBe(before.same);
});

test('a name of the prototype is a name like others', () => {
  const after = JSON.parse('{"at":1,"__proto__":{"polluted":1},"modules":{}}');
  const made = applied(
    { at: 1, modules: {} } as object,
    JSON.parse(JSON.stringify(deltaOf({ at: 1, modules: {} }, after))),
  );
  expect(Object.hasOwn(made, 'polluted') || 'polluted' in {}).toBe(false);
});
