// The judge at single rungs: what it needs to call something good, what it calls bad and how soon, and when it says
// nothing. How often it is wrong is in simulation.test.ts.
import { describe, expect, test } from 'vitest';
import { type Account, frozenOf, noAccount, type Second, type Tally, withSecond } from './account.ts';
import { besides, sideOf } from './bursts.ts';
import { judge, type Look, watched } from './judge.ts';
import { type Policy, type PolicyWish, policyOf, type Rung } from './rungs.ts';

const policy = (wish: PolicyWish = {}) => policyOf(wish) as Policy;
const tally = (n: number, bad = 0, slow = 0): Tally => ({ n, bad, slow });

/** So many seconds alike, one after the other. */
function seconds(count: number, one: Partial<Second>, from: Account = noAccount): Account {
  let account = from;
  for (let i = 0; i < count; i += 1) {
    const at = (account.recent.at(-1)?.at ?? 999) + 1;
    account = withSecond(account, { at, near: tally(0), far: tally(0), ...one });
  }
  return account;
}

const look = (account: Account, rung: Rung = '50', more: Partial<Look> = {}) =>
  judge({ rung, policy: policy(), account, frozen: {}, ...more });
const row = (judgement: ReturnType<typeof judge>, metric: string) =>
  judgement.evidence.find((one) => one.metric === metric);

describe('good', () => {
  const fine = { near: tally(10), far: tally(10) };

  test('is what was seen long enough, often enough, and is told so', () => {
    expect(look(seconds(121, fine)).reason).toBe('waits for 119 of 120 s');
    expect(look(seconds(122, { near: tally(10), far: tally(2) })).reason).toMatch(/240 of 300 requests/);
    const good = look(seconds(122, fine));
    expect(good.verdict).toBe('good');
    expect(good.reason).toBe(
      'errors: 0 % of 1,200 (0) against 0 % of 1,200 (0); slow: 0 % of 1,200 (0) against 0 % of 1,200 (0)',
    );
    expect(row(good, 'errors')).toEqual({
      rung: '50',
      metric: 'errors',
      near: { n: 1200, bad: 0 },
      far: { n: 1200, bad: 0 },
      verdict: 'good',
    });
  });

  test('is never what nobody asked, nor what has nothing beside it', () => {
    expect(look(seconds(4000, { near: tally(10) })).verdict).toBe('open');
    expect(look(seconds(4000, { far: tally(10) })).verdict).toBe('open');
    expect(look(seconds(4000, { far: tally(10) }), '100').verdict).toBe('open');
    expect(look(seconds(4000, fine), 'shadow').verdict).toBe('open');
  });

  test('is, when the time is over, what one look shows: nothing more would come', () => {
    const errs = (bad: number) => {
      let account = seconds(2, fine);
      for (let i = 0; i < bad; i += 1) {
        account = seconds(1, { near: tally(10), far: tally(10, 1) }, account);
        account = seconds(120 / bad, fine, account);
      }
      return account;
    };
    const verdicts = (bad: number) => [
      look(errs(bad)).verdict,
      look(errs(bad), '50', { last: true }).verdict,
      look(seconds(100, fine), '50', { last: true }).verdict,
    ];
    // Of some 1,200 each: worse by 1 % would be 12.
    expect(verdicts(1)).toEqual(['good', 'good', 'open']);
    expect(verdicts(4)).toEqual(['open', 'good', 'open']);
    expect(verdicts(9)).toEqual(['open', 'open', 'open']);
  });

  test('needs as few requests as were asked for, and is coarser by that', () => {
    const weak = policy({ minRequests: 20, minSeconds: 1 });
    expect(look(seconds(12, { near: tally(2), far: tally(2) }), '50', { policy: weak }).verdict).toBe('good');
    expect(look(seconds(11, { near: tally(2), far: tally(2) }), '50', { policy: weak }).verdict).toBe('open');
    expect(
      look(seconds(3, { near: tally(1), far: tally(1) }), '50', {
        policy: policy({ minRequests: 1, minSeconds: 1 }),
      }).verdict,
    ).toBe('good');
  });

  test('at the last rung with a near side is only what the next can be judged by', () => {
    const lopsided = { near: tally(1), far: tally(20) };
    expect(look(seconds(130, lopsided), '50').reason).toMatch(/near side, by which 100 is judged/);
    expect(look(seconds(1000, lopsided), '50').verdict).toBe('good');
  });

  test('from 100 on is compared with what the near side was', () => {
    const frozen = frozenOf(seconds(200, { near: tally(100, 1) }), {});
    const judged = (bad: number) => look(seconds(200, { far: tally(100, bad) }), '100', { frozen });
    expect(judged(1).verdict).toBe('good');
    expect(row(judged(1), 'errors')!.near).toEqual({ n: 19_800, bad: 198 });
    expect(judged(3).verdict).toBe('bad');
  });
});

describe('bad', () => {
  test('is some against none, however few', () => {
    const near = tally(99);
    const some = seconds(100, { near, far: tally(1) });
    const three = [0, 1, 2].reduce(
      (account) => seconds(14, { near, far: tally(1) }, seconds(1, { near, far: tally(1, 1) }, account)),
      some,
    );
    const judged = look(three, '1');
    expect(judged.verdict).toBe('bad');
    expect(judged.reason).toBe('errors: 2.1 % of 143 (3) against 0 % of 14,157 (0)');
    expect(look(some, '1').verdict).toBe('open');
  });

  test('is what is slow, and what restarts, and what has no process', () => {
    const slow = look(seconds(40, { near: tally(20), far: tally(20, 0, 4) }));
    expect(slow.reason).toMatch(/^slow: 20 % of 760 \(152\)/);
    expect(slow.verdict).toBe('bad');
    const fine = seconds(5, { near: tally(9), far: tally(9) });
    const gone = look(fine, '50', { restarts: ['parcels-1 was ended by SIGKILL'] });
    expect(gone).toMatchObject({ verdict: 'bad', reason: 'restarts: parcels-1 was ended by SIGKILL' });
    expect(look(fine, '50', { withoutInstance: 2.9 }).verdict).toBe('open');
    expect(look(fine, '50', { withoutInstance: 3 }).reason).toMatch(/no process of the service was healthy/);
  });

  test.each([
    ['half of many', 1, tally(25, 12), 4],
    ['half of few', 1, tally(2, 1), 5],
    ['all of very few', 1, tally(1, 1), 4],
    ['half, after an hour without any', 3600, tally(25, 12), 4],
  ])('is found within five seconds where %s fail', (_, before, far, within) => {
    const fine = { near: tally(25), far: tally(far.n) };
    const started = seconds(before, fine);
    const first = [1, 2, 3, 4, 5, 6].find(
      (count) => look(seconds(count, { near: tally(25), far }, started)).verdict === 'bad',
    );
    expect(first).toBeLessThanOrEqual(within);
  });

  test('is not what fails once in a burst', () => {
    const fine = { near: tally(25), far: tally(25) };
    const after = seconds(20, fine, seconds(1, { near: tally(25), far: tally(25, 12) }, seconds(60, fine)));
    expect(look(after).verdict).toBe('open');
    const near = tally(80);
    const early = seconds(5, { near, far: tally(20, 3) }, seconds(3, { near, far: tally(20) }));
    expect(look(early, '10').verdict).toBe('open');
    const single = seconds(1, { near: tally(190), far: tally(3, 3) }, seconds(2, { near: tally(190) }));
    expect(look(single, '1').verdict).toBe('open');
    const two = seconds(2, { near: tally(190), far: tally(3, 3) }, seconds(4, { near: tally(190) }));
    expect(look(two, '1').verdict).toBe('open');
    expect(look(seconds(1, { near: tally(190), far: tally(3, 3) }, two), '1').verdict).toBe('bad');
    expect(look(seconds(22, { near, far: tally(20, 3) }, early), '10').verdict).toBe('bad');
  });
});

test('bursts of the far side are no defect while the near side has had no time for its own', () => {
  const burst = (bad: number, from: Account) =>
    seconds(
      1,
      { near: tally(180), far: tally(20, bad) },
      seconds(8, { near: tally(180), far: tally(20) }, from),
    );
  const four = [9, 11, 10, 9].reduce((account, bad) => burst(bad, account), noAccount);
  const after = seconds(2, { near: tally(180), far: tally(20) }, four);
  expect(look(after, '10').reason).toMatch(/more to tell errors: errors: 5.4 % of 720 \(39\) against 0 %/);
  const fifty = Array.from({ length: 50 }, () => 10).reduce((account, bad) => burst(bad, account), after);
  expect(look(fifty, '10').verdict).toBe('bad');
});

describe('an outage of both', () => {
  const fine = { near: tally(25), far: tally(25) };
  const down = { near: tally(25, 20), far: tally(25, 22) };

  test('judges nobody, and its seconds are left out', () => {
    const before = seconds(130, fine);
    for (const count of [1, 2, 3, 5, 20]) expect(look(seconds(count, down, before)).verdict).not.toBe('bad');
    const after = seconds(10, fine, seconds(20, down, before));
    expect(after.arms.errors.near.bad).toBe(0);
    expect(look(after).verdict).toBe('good');
  });

  test('is known where there is no near side, if it is told', () => {
    const frozen = frozenOf(seconds(200, fine), {});
    const told = seconds(10, { far: tally(50, 50), outage: true }, seconds(10, { far: tally(50) }));
    expect(look(told, '100', { frozen }).verdict).toBe('open');
    const untold = seconds(10, { far: tally(50, 50) }, seconds(10, { far: tally(50) }));
    expect(look(untold, '100', { frozen }).verdict).toBe('bad');
  });

  test('is not a far side that fails alone, nor a near side that fails now and then', () => {
    const alone = seconds(20, { near: tally(25), far: tally(25, 25) });
    expect(alone.arms.errors.far.bad).toBeGreaterThan(400);
    const thin = [...Array(200).keys()].reduce(
      (account, i) => seconds(1, { near: tally(1, i % 10 === 0 ? 1 : 0), far: tally(1) }, account),
      noAccount,
    );
    expect(thin.arms.errors.near.bad).toBe(20);
    const rare = [...Array(70).keys()].reduce(
      (account, i) => seconds(1, { near: tally(1, i % 7 < 2 ? 1 : 0) }, account),
      noAccount,
    );
    expect(rare.arms.errors.near.bad).toBe(20);
  });
});

describe('differences', () => {
  const shadows = (near: number, far: number, count = 100) =>
    seconds(count, { near: tally(9), differences: { near: { n: 4, bad: near }, far: { n: 4, bad: far } } });

  test('of shadows are compared with those of the near side with itself', () => {
    expect(look(shadows(0, 0, 200), 'shadow').verdict).toBe('good');
    const rare = look(shadows(0, 0, 200), 'shadow', { unjudged: ['cancel', 'drop'] });
    expect(rare).toMatchObject({ verdict: 'good', unjudged: ['cancel', 'drop'] });
    expect(rare.reason).toMatch(/; not judged, for want of requests: cancel, drop$/);
    expect(look(shadows(0, 1), 'shadow')).toMatchObject({
      verdict: 'bad',
      reason: expect.stringMatching(/^differences: 25 % of 392/),
    });
    expect(look(shadows(1, 1, 200), 'shadow').verdict).toBe('good');
  });

  test('are not there before it is known what differs by itself, and that is said', () => {
    const unheard = look(seconds(200, { near: tally(9) }), 'shadow', { learning: { pairs: 7, of: 30 } });
    expect(unheard).toMatchObject({
      verdict: 'open',
      reason: expect.stringMatching(/7 of 30 double reads, which show what differs by itself/),
    });
    const heard = look(shadows(0, 0, 20), 'shadow', { learning: { pairs: 7, of: 30 } });
    expect(heard.reason).not.toMatch(/double reads/);
  });

  test('of one operation are found although all others agree', () => {
    const rare = { operation: 'list', why: 'body /total differs', near: { n: 10, bad: 0 } };
    const judged = (bad: number) =>
      look(shadows(0, 0, 200), 'shadow', { operations: [{ ...rare, far: { n: 10, bad } }] });
    expect(judged(0).verdict).toBe('good');
    expect(judged(10)).toMatchObject({
      verdict: 'bad',
      reason: 'differences: list: body /total differs, 100 % of 10 (10) against 0 % of 10 (0)',
    });
  });
});

describe('background', () => {
  const frozen = frozenOf(
    seconds(200, { near: tally(20), attempts: { near: { n: 5, bad: 0 }, far: { n: 0, bad: 0 } } }),
    {},
  );
  const run = (count: number, more: Partial<Second> = {}, from?: Account) =>
    seconds(count, { far: tally(1), behind: { lag: false, outbox: false }, ...more }, from);
  const at = (account: Account) => look(account, 'background', { frozen });

  test('is good when it ran for its time without trouble, with however few requests', () => {
    expect(at(run(122)).verdict).toBe('good');
    expect(at(run(121)).verdict).toBe('open');
  });

  test('is bad when attempts fail, or it stays behind', () => {
    const failing = { attempts: { near: { n: 0, bad: 0 }, far: { n: 5, bad: 2 } } };
    expect(at(run(40, failing)).reason).toMatch(/^attempts: 40 % of 190 \(76\) against 0 % of 990/);
    const behind = { behind: { lag: true, outbox: false } };
    expect(at(run(4, behind, run(130)))).toMatchObject({
      verdict: 'open',
      reason: 'waits for lag within its limit',
    });
    expect(at(run(5, behind, run(130))).verdict).toBe('bad');
  });
});

test('the watch over a service that stays finds what fails at once, and nothing else', () => {
  const watchedOn = (seen: Omit<Parameters<typeof watched>[0], 'rung'>) => watched({ rung: '50', ...seen });
  const frozen = frozenOf(seconds(200, { near: tally(20) }), {});
  const fine = seconds(100, { far: tally(25) });
  expect(watchedOn({ account: fine, frozen })).toBeUndefined();
  expect(watchedOn({ account: seconds(600, { far: tally(25, 2) }), frozen })).toBeUndefined();
  expect(watchedOn({ account: seconds(4, { far: tally(25, 13) }, fine), frozen })?.reason).toMatch(
    /^errors: /,
  );
  expect(watchedOn({ account: seconds(4, { far: tally(25, 13) }, fine), frozen: {} })?.reason).toMatch(
    /^errors: /,
  );
  expect(watchedOn({ account: fine, frozen, withoutInstance: 3 })?.reason).toMatch(/^instances: /);
  // What ends once is started again; what ends again and again is broken.
  const restarts = ['parcels-1 ended', 'parcels-1 ended'];
  expect(watchedOn({ account: fine, frozen, restarts })).toBeUndefined();
  restarts.push('parcels-2 ended');
  expect(watchedOn({ account: fine, frozen, restarts })?.reason).toBe(`restarts: ${restarts.join(', ')}`);
  // And says by which numbers.
  expect(watchedOn({ account: fine, frozen, restarts })?.evidence).toEqual([
    { rung: '50', metric: 'restarts', near: { n: 0, bad: 0 }, far: { n: 3, bad: 3 }, verdict: 'bad' },
  ]);
  expect(watchedOn({ account: fine, frozen, withoutInstance: 3.2 })?.evidence).toMatchObject([
    { metric: 'instances', far: { n: 3, bad: 3 }, verdict: 'bad' },
  ]);
  const failing = seconds(4, { far: tally(25, 13) }, fine);
  expect(watchedOn({ account: failing, frozen })?.evidence).toMatchObject([
    { rung: '50', metric: 'errors', verdict: 'bad' },
  ]);
});

test('an account is plain data that another host goes on from', () => {
  const account = seconds(50, { near: tally(10, 1), far: tally(10, 1) });
  expect(JSON.parse(JSON.stringify(account))).toEqual(account);
  expect(JSON.stringify(account).length).toBeLessThan(6_000);
});

test('bursts are seen by the second and by ten, and none where there are none', () => {
  const phi = (bad: (i: number) => number) => {
    let account = noAccount;
    for (let i = 0; i < 600; i += 1)
      account = withSecond(account, { at: i, near: tally(0), far: tally(20, bad(i)) });
    return sideOf(account.arms.errors.far).phi;
  };
  expect(phi(() => 1)).toBe(1);
  expect(phi((i) => (i % 10 === 0 ? 10 : 0))).toBeGreaterThan(8);
  expect(phi((i) => (i % 100 < 10 ? 4 : 0))).toBeGreaterThan(30);
});

test('a far side has the bursts that the near side has, also before its first', () => {
  let account = noAccount;
  for (let i = 0; i < 100; i += 1)
    account = withSecond(account, { at: i, near: tally(20, i % 10 === 0 ? 10 : 0), far: tally(10) });
  const { near, far } = account.arms.errors;
  expect(sideOf(far).phi).toBe(1);
  expect(besides(far, sideOf(near)).phi).toBeGreaterThan(3);
});
