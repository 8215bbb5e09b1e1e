// The ladder as a machine: it goes up on a positive verdict alone, comes down from anywhere, and leaves alone what a
// person placed.
import { expect, test } from 'vitest';
import type { Verdict } from '../judge/evidence.ts';
import type { Judgement } from '../judge/judgement.ts';
import { type Policy, type PolicyWish, policyOf, weakness } from '../judge/rungs.ts';
import { type Act, begin, type Climb, type Happening, type Move, next, type Refused } from './steps.ts';

const near = { errors: { n: 900, bad: 3, phi: 1, together: { second: 0, block: 0 } } };
const judged = (verdict: Verdict, more: object = {}): Happening => {
  const judgement: Judgement = { verdict, reason: `it is ${verdict}`, evidence: [], near };
  return { on: 'judged', judgement, wayBack: true, ...more };
};

const policy = (wish: PolicyWish = {}): Policy => {
  const made = policyOf(wish);
  if ('complaint' in made) throw new Error(made.complaint);
  return made;
};
const inProcess = { placement: 'in-process', percent: 0 };
const moved = (move: Move | Refused): Move => {
  if ('refused' in move) throw new Error(move.refused);
  return move;
};

/** A ladder on which things happen one second after the other. */
function ladder(wish: PolicyWish = {}, from = inProcess) {
  let now = 0;
  const first = moved(begin(policy(wish), from, 'ada', now));
  let climb: Climb = first.climb;
  return {
    first,
    acts: first.act ? [first.act] : ([] as Act[]),
    get climb() {
      return climb;
    },
    after(happening: Happening, seconds = 1) {
      now += seconds * 1000;
      const move = moved(next(climb, happening, now));
      climb = move.climb;
      if (move.act) this.acts.push(move.act);
      return this;
    },
    refuses: (happening: Happening) => next(climb, happening, now),
  };
}

test('what its shadows did not judge is known to the end, also where a person promoted it', () => {
  const judgement: Judgement = { verdict: 'good', reason: '', evidence: [], near, unjudged: ['cancel'] };
  const one = ladder().after({ on: 'judged', judgement, wayBack: true });
  expect(one.climb).toMatchObject({ rung: '1', unjudged: ['cancel'] });
  for (let i = 0; i < 5; i += 1) one.after(judged('good'));
  expect(one.climb).toMatchObject({ state: 'done', unjudged: ['cancel'] });
  const by = { on: 'promote', by: 'ada', reason: 'now', near: {}, unjudged: ['drop'] } as const;
  expect(ladder().after(by).climb).toMatchObject({ rung: '1', unjudged: ['drop'] });
  expect(ladder({ steps: ['1', '10'] }).after(by).climb.unjudged).toBeUndefined();
});

test('good verdicts lead from shadow to background, and the near side is kept where there is none any more', () => {
  const one = ladder();
  for (let i = 0; i < 6; i += 1) one.after(judged('good'));
  expect(one.acts.map(({ placement, percent, background }) => [placement, percent, background])).toEqual([
    ['shadow', 0, false],
    ['canary', 1, false],
    ['canary', 10, false],
    ['canary', 50, false],
    ['service', 100, false],
    ['service', 100, true],
  ]);
  expect(one.climb).toMatchObject({ state: 'done', rung: 'background', frozen: near });
  expect(one.acts.map(({ actor }) => actor)).toEqual(['operator', ...Array(5).fill('judge')]);
});

test('what the near side was is not overwritten from 100 on', () => {
  const one = ladder({ steps: ['50', '100'] }).after(judged('good'));
  const empty: Judgement = { verdict: 'good', reason: '', evidence: [], near: {} };
  one.after({ on: 'judged', judgement: empty, wayBack: true });
  expect(one.climb).toMatchObject({ rung: 'background', frozen: near });
});

test('without a verdict it stays, then pauses for want of traffic, and the share stays', () => {
  const one = ladder({ minSeconds: 5, maxSeconds: 10 }).after(judged('good'));
  for (let i = 0; i < 9; i += 1) one.after(judged('open'));
  expect(one.climb).toMatchObject({ state: 'running', rung: '1', reason: 'it is open' });
  one.after(judged('open'));
  expect(one.climb).toMatchObject({ state: 'paused', starved: true, rung: '1' });
  expect(one.climb.reason).toBe('no verdict at 1 % after 10 s: it is open');
  one.after(judged('good'));
  expect(one.climb.rung).toBe('1');
  expect(one.acts).toHaveLength(2);
  one.after({ on: 'resume', by: 'ada' }).after(judged('open'), 9);
  expect(one.climb.state).toBe('running');
  expect(one.after(judged('good')).climb.rung).toBe('10');
});

test('a bad verdict brings it down from anywhere: on a rung, paused, at its end', () => {
  const ends = [
    ladder(),
    ladder().after({ on: 'pause', by: 'ada' }),
    ladder({ until: 'shadow' }).after(judged('good')),
  ];
  expect(ends.map(({ climb }) => climb.state)).toEqual(['running', 'paused', 'done']);
  for (const one of ends) {
    one.after(judged('bad'));
    expect(one.climb).toMatchObject({ state: 'demoted', reason: 'it is bad' });
    expect(one.acts.at(-1)).toMatchObject({ placement: 'in-process', percent: 0, actor: 'judge' });
    expect(one.after(judged('good')).after(judged('bad')).acts).toHaveLength(2);
  }
});

test('not where there is nobody to take it back', () => {
  const one = ladder().after(judged('bad', { wayBack: false }));
  expect(one.climb).toMatchObject({ state: 'running', rung: 'shadow' });
  expect(one.climb.reason).toMatch(/no monolith/);
  expect(one.after(judged('bad')).climb.state).toBe('demoted');
});

test('never against what a person placed: also after its end, and after a stop', () => {
  const placed: Happening = { on: 'placed', by: 'ada', placement: 'canary', percent: 20 };
  const all = [
    ladder().after(placed),
    ladder({ until: 'shadow' }).after(judged('good')).after(placed),
    ladder().after({ on: 'stop', by: 'ada' }),
  ];
  for (const one of all) {
    expect(one.climb.state).toBe('stopped');
    expect(one.after(judged('bad')).acts).toHaveLength(1);
  }
  expect(all[0]!.climb.reason).toBe("ada placed it canary at 20 %; a person's placement stands");
});

test('a person promotes with a reason, also from a pause, and the rung without a near side has what was seen', () => {
  const one = ladder({ steps: ['50', '100'] }).after({ on: 'pause', by: 'ada', reason: 'lunch' });
  expect(one.climb.reason).toBe('paused by ada: lunch');
  one.after({ on: 'promote', by: 'ada', reason: 'enough', near });
  expect(one.climb).toMatchObject({ state: 'running', rung: '100', frozen: near });
  expect(one.acts.at(-1)).toMatchObject({ actor: 'operator', by: 'ada', reason: 'promoted by ada: enough' });
  // Known to the end, since nobody saw that the rung was good.
  const promoted = [{ rung: '50', reason: 'promoted by ada: enough' }];
  expect(one.climb.promoted).toEqual(promoted);
  expect(one.after({ on: 'demote', by: 'ada', reason: 'no' }).climb.promoted).toEqual(promoted);
});

test('with confirm a good rung waits for that, however long, and a hold holds', () => {
  const one = ladder({ confirm: true, minSeconds: 1, maxSeconds: 5 });
  one.after(judged('good'), 100);
  expect(one.climb).toMatchObject({ state: 'running', rung: 'shadow', ready: true });
  expect(one.after({ on: 'promote', by: 'ada', reason: 'yes', near }).climb.rung).toBe('1');
  expect(one.climb.promoted).toBeUndefined();
  const held = ladder().after(judged('good', { hold: 'parcels-1 lags' }));
  expect(held.climb).toMatchObject({ rung: 'shadow', reason: 'good, and waits: parcels-1 lags' });
});

test('what does not follow from where it is is refused and says where that is', () => {
  const one = ladder().after({ on: 'demote', by: 'ada', reason: 'no' });
  for (const on of ['pause', 'resume', 'demote', 'stop'] as const)
    expect(one.refuses({ on, by: 'ada' })).toMatchObject({
      refused: expect.stringMatching(/^the ladder is over .the module came down./),
    });
  expect(ladder().refuses({ on: 'resume', by: 'ada' })).toMatchObject({ refused: expect.anything() });
});

test('it begins where it takes nobody from the service', () => {
  expect(ladder({}, { placement: 'shadow', percent: 0 }).first.act).toBeUndefined();
  expect(ladder({}, { placement: 'canary', percent: 10 }).first).toMatchObject({ climb: { rung: '10' } });
  const onItsWay = ladder({}, { placement: 'canary', percent: 20 });
  expect(onItsWay.first.act).toMatchObject({ percent: 50 });
  // What it passes over is none of its rungs.
  expect(onItsWay.climb.policy.rungs).toEqual(['50', '100', 'background']);
  const begun = (percent: number, wish = {}) =>
    begin(policy(wish), { placement: 'canary', percent }, 'ada', 0);
  expect(begun(20, { until: 10 })).toMatchObject({ refused: expect.stringMatching(/20 %.*higher/) });
  expect(begun(100)).toMatchObject({ refused: expect.stringMatching(/in-process first/) });
});

test('a policy is whole, or a complaint that says what to give instead', () => {
  expect(policy().rungs).toEqual(['shadow', '1', '10', '50', '100', 'background']);
  expect(policy({ until: 50 }).rungs.at(-1)).toBe('50');
  expect(policy({ until: 100 }).rungs.at(-1)).toBe('100');
  expect(policy({ steps: [5, 20] }).rungs).toEqual(['5', '20']);
  expect(policy({ minSeconds: 7200 }).maxSeconds).toBe(14_400);
  const complaints: [PolicyWish, RegExp][] = [
    [{ steps: [] }, /no steps/],
    [{ steps: ['1', 'shadow'] }, /do not rise at "shadow"/],
    [{ steps: ['1', '1'] }, /do not rise/],
    [{ steps: ['0', '1'] }, /"0" is none/],
    [{ steps: ['1.5'] }, /"1.5" is none/],
    [{ steps: ['50', '101'] }, /"101" is none/],
    [{ steps: ['100'] }, /before 100/],
    [{ until: 20 }, /until 20: it is not among/],
    [{ steps: ['1', '10'], until: 'background' }, /background follows 100/],
    [{ minRequests: 0 }, /minRequests is 0/],
    [{ minSeconds: Number.NaN }, /minSeconds is NaN/],
    [{ minSeconds: 9, maxSeconds: 8 }, /maxSeconds \(8, --max-seconds\)/],
  ];
  for (const [wish, complaint] of complaints)
    expect(policyOf(wish)).toMatchObject({ complaint: expect.stringMatching(complaint) });
});

test('what asks for less than is advised says so', () => {
  expect(weakness(policy())).toBeUndefined();
  expect(weakness(policy({ minSeconds: 3, minRequests: 20 }))).toBe(
    'weaker than advised: a rung is left after 20 requests instead of 300 and 3 s instead of 120 s',
  );
});
