import { describe, expect, it } from 'vitest';
import { leastBusy, SUSPECT_PENALTY } from './balance.ts';
import { Attempts, wasNothingSent } from './failover.ts';
import { candidatesOf, isExtracted, sideOf } from './side.ts';
import type { Instance, Snapshot } from './snapshot.ts';

describe('the side', () => {
  const instances = [{ id: 'shelf-1' }] as unknown as Instance[];
  const monoliths = [{ id: 'monolith' }] as unknown as Instance[];
  const snapshot = {
    modules: {
      shelf: { placement: 'service', instances },
      till: { placement: 'in-process', instances },
    },
    monoliths,
  } as unknown as Snapshot;

  it.each([
    ['shelf', 'service', instances],
    ['till', 'in-process', monoliths],
    ['unknown', 'in-process', monoliths],
  ])('of %s is %s', (module, side, candidates) => {
    expect(sideOf(snapshot, module, undefined)).toBe(side);
    expect(isExtracted(snapshot, module)).toBe(side === 'service');
    expect(candidatesOf(snapshot, module, sideOf(snapshot, module, undefined))).toBe(candidates);
  });

  it('has the candidates of the side that was decided, also when the placement is another by now', () => {
    expect(candidatesOf(snapshot, 'till', 'service')).toBe(instances);
    expect(candidatesOf(snapshot, 'unknown', 'service')).toEqual([]);
  });
});

describe('the balance', () => {
  const loads = (...all: number[]) => all.map((load, at) => ({ at, load }));
  const choose = (turn: number, ...all: number[]) => leastBusy(loads(...all), turn, ({ load }) => load)?.at;

  it('is the least busy, wherever it stands', () => {
    for (const turn of [0, 1, 2]) expect(choose(turn, 3, 1, 2)).toBe(1);
  });
  it('takes turns where they are equal', () => {
    expect([0, 1, 2, 3].map((turn) => choose(turn, 5, 5, 5))).toEqual([0, 1, 2, 0]);
  });
  it('asks a suspect when nobody else is left', () => {
    expect(choose(0, SUSPECT_PENALTY, 1000)).toBe(1);
    expect(choose(0, SUSPECT_PENALTY, Number.POSITIVE_INFINITY)).toBe(0);
  });
  it('is nobody when nobody may be asked', () => {
    expect(choose(0, Number.POSITIVE_INFINITY)).toBeUndefined();
    expect(choose(7)).toBeUndefined();
  });
});

describe('the failover', () => {
  it('goes on with what was never begun for as long as there is somebody', () => {
    const attempts = new Attempts<string>();
    for (const where of ['a', 'b', 'c']) expect(attempts.mayFollow(where, false, false)).toBe(true);
    expect([...attempts.tried!]).toEqual(['a', 'b', 'c']);
  });
  it('repeats once what may have begun, where it is idempotent', () => {
    const attempts = new Attempts<string>();
    expect(attempts.mayFollow('a', true, true)).toBe(true);
    expect(attempts.mayFollow('b', false, true)).toBe(true);
    expect(attempts.mayFollow('c', true, true)).toBe(false);
  });
  it('does not repeat what is not idempotent, and remembers that it may have begun', () => {
    const attempts = new Attempts<string>();
    expect(attempts.mayFollow('a', true, false)).toBe(false);
    expect(attempts.begun).toBe(true);
  });
  it('looks once more when nobody is left, and asks those anew who lost it', () => {
    const attempts = new Attempts<string>();
    attempts.mayFollow('a', false, false);
    expect(attempts.mayLookAgain()).toBe(true);
    expect(attempts.tried).toBeUndefined();
    expect(attempts.mayLookAgain()).toBe(false);
  });
  it('knows what came before a byte was sent', () => {
    expect(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET', undefined].map(wasNothingSent)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
