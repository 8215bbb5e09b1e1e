// Data that a schema leaves free is as deep as it may be and no deeper, in objects and lists, by any door.
import { describe, expect, it } from 'vitest';
import { closed } from './contract.ts';
import { leavesFree, MAX_LEVELS, tooDeep } from './depth.ts';
import { id, nullable } from './fields.ts';
import { Problem } from './problem.ts';
import { Type } from './type.ts';
import { inputCheck } from './validation.ts';

const lists = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
const objects = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);

describe('depth', () => {
  it.each([
    ['lists', lists, '/0'],
    ['objects', objects, '/a'],
  ])('of %s has a limit, and is told by where it is passed', (_what, make, step) => {
    expect(tooDeep(make(MAX_LEVELS))).toBeUndefined();
    expect(tooDeep(make(MAX_LEVELS + 1))).toBe(step.repeat(MAX_LEVELS));
    expect(tooDeep([1, make(100_000)])).toBe(`/1${step.repeat(MAX_LEVELS - 1)}`);
  });

  it('is asked for where a schema leaves anything free, and nowhere else', () => {
    for (const schema of [
      Type.Unknown(),
      Type.Object({}),
      closed({ data: Type.Optional(Type.Unknown()) }),
      closed({ lines: Type.Array(Type.Object({ a: id() })) }),
      Type.Record(Type.String(), Type.Unknown()),
      nullable(Type.Object({})),
    ])
      expect(leavesFree(schema), JSON.stringify(schema)).toBe(true);
    for (const schema of [
      closed({}),
      closed({ a: nullable(id()), b: Type.Array(closed({ c: Type.Literal('x') })), d: Type.Boolean() }),
      Type.Record(Type.String(), Type.Integer()),
      Type.Unsafe({ type: 'string', enum: ['a'] }),
    ])
      expect(leavesFree(schema), JSON.stringify(schema)).toBe(false);
  });

  it('is refused with the way to it', () => {
    const check = inputCheck(closed({ message: closed({ data: Type.Object({}) }) }));
    expect(() => check({ message: { data: { a: [1, { b: 'c' }] } } })).not.toThrow();
    const refused = (() => {
      try {
        check({ message: { data: { deep: objects(6_000) } } });
      } catch (error) {
        return error;
      }
    })() as Problem;
    expect(refused).toBeInstanceOf(Problem);
    expect(refused.status).toBe(422);
    expect(refused.body.errors).toEqual([
      { path: `/message/data/deep${'/a'.repeat(61)}`, message: 'is nested more than 64 levels deep' },
    ]);
  });
});
