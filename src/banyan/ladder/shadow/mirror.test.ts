// A mirror: what is tried, in which order, what differs, and that nobody waits for it or hears of its failures.
import { expect, test, vi } from 'vitest';
import { anonymous } from '../../context/principal.ts';
import { defineContract, event, nothing, operation } from '../../contract/contract.ts';
import { Problem } from '../../contract/problem.ts';
import { Type } from '../../contract/type.ts';
import type { Snapshot } from '../../routing/snapshot.ts';
import { type ShadowReport, shadowSum } from '../../telemetry/shadow-reports.ts';
import { cannot } from './attempt.ts';
import { Breakers, LoopBreaker, MOST_IN_FLIGHT, PAUSE_MS, WELL_MS } from './breakers.ts';
import type { Answer } from './comparison.ts';
import { type AskService, Mirror, type Sample, WRITE_BUDGET_MS } from './mirror.ts';

const Parcel = Type.Object({ id: Type.String(), state: Type.String() });
const parcels = defineContract('parcels', {
  summary: 'Parcels',
  events: {
    'parcel-sent': event({
      summary: 'It was sent',
      version: 1,
      key: 'id',
      data: Type.Object({ id: Type.String() }),
    }),
  },
  operations: {
    show: operation({
      summary: 'One parcel',
      access: 'public',
      http: { method: 'GET', path: '/parcels' },
      input: nothing,
      output: Parcel,
      idempotent: true,
    }),
    send: operation({
      summary: 'Send one',
      access: 'public',
      http: { method: 'POST', path: '/parcels', status: 202 },
      input: nothing,
      output: Parcel,
      idempotent: false,
    }),
    weigh: operation({
      summary: 'Weigh all',
      access: 'public',
      http: { method: 'GET', path: '/weight' },
      input: nothing,
      output: Parcel,
      idempotent: true,
      shadow: { never: 'it takes all of a core' },
    }),
  },
});
type Name = keyof typeof parcels.operations;

const instance = { id: 'parcels-1', host: 'h', url: 'http://p', pid: 1, doors: ['ws'], healthy: true };
const picture = (mirror: { reads: number; writes: number } | undefined, changedAt = '1') =>
  ({
    modules: {
      parcels: {
        module: 'parcels',
        placement: 'shadow',
        percent: 0,
        mirror,
        changedAt,
        instances: [instance],
      },
    },
  }) as unknown as Snapshot;

function stand(ask: AskService) {
  let snapshot = picture({ reads: 100, writes: 100 });
  const samples: Sample[] = [];
  const said: string[] = [];
  const breakers = new Breakers(new LoopBreaker(() => {}), (why) => said.push(why));
  const mirror = new Mirror(parcels, {
    ask,
    breakers,
    snapshot: () => snapshot,
    problemOf: (error) => (error instanceof Problem ? error : { status: 500, body: {} }),
    keep: (sample) => samples.push(sample),
    key: Buffer.from('k'),
    leastPairs: 3,
  });
  mirror.follow(snapshot);
  let ids = 0;
  /** Ids differ each time, as they do. */
  const run = async () => {
    ids += 1;
    return { id: `id-${ids}`, state: 'sent' };
  };
  const call = { principal: anonymous, deadline: Number.POSITIVE_INFINITY, traceparent: '00-a-b-01' };
  return {
    mirror,
    samples,
    said,
    read: () => mirror.read()!,
    place(mirrored: { reads: number; writes: number; first?: number } | undefined, changedAt: string) {
      snapshot = picture(mirrored, changedAt);
      mirror.follow(snapshot);
    },
    ask: (name: Name, work: () => Promise<unknown> = run) =>
      mirror.around(name, parcels.operations[name], {}, call, work),
    async settled(mirrored: number) {
      await vi.waitFor(() => expect(mirror.read()?.mirrored).toBe(mirrored));
    },
  };
}

const far = (more: Partial<Answer> = {}): Awaited<ReturnType<AskService>> => ({
  answer: { status: 200, body: { id: 'far', state: 'sent' }, events: [], ...more },
  unclear: undefined,
});

test('a read is answered first, and a write tried first', async () => {
  const order: string[] = [];
  const { ask, settled } = stand(async () => {
    order.push('far');
    return far();
  });
  const work = async () => {
    order.push('near');
    return { id: '1', state: 'sent' };
  };
  await ask('show', work);
  await settled(1);
  expect(order.slice(0, 2)).toEqual(['near', 'far']);
  order.length = 0;
  await ask('send', work);
  await settled(2);
  // There, here, here again for the noise of it; and then it is done.
  expect(order).toEqual(['far', 'near', 'near', 'near']);
});

test('ids are no difference, and what is one is found in words and kept without values', async () => {
  const defects: Record<string, [Partial<Answer>, string]> = {
    status: [{ status: 404, body: {} }, 'status 200 against 404'],
    field: [{ body: { id: 'far', state: 'lost' } }, 'body /state differs'],
    event: [
      { events: [{ type: 'parcels.parcel-sent.v1', key: 'k', data: { id: 'k' } }] },
      'additional event parcel-sent',
    ],
  };
  for (const [defect, why] of Object.values(defects)) {
    let answer = far();
    const { ask, settled, read, samples } = stand(async () => answer);
    for (let i = 1; i <= 8; i += 1) {
      await ask('show');
      await settled(i);
    }
    expect(read()).toMatchObject({ differed: 0, failed: 0, skipped: 0, differences: {} });
    answer = far(defect);
    await ask('show');
    await settled(9);
    expect(read()).toMatchObject({
      differed: 1,
      differences: { show: why },
      operations: { show: { far: { bad: 1 } } },
    });
    expect(samples).toMatchObject([{ module: 'parcels', operation: 'show', why: [why] }]);
    expect(JSON.stringify(samples)).not.toMatch(/id-\d|lost/);
  }
});

test('what moved between two reads is no difference, and what is behind is one', async () => {
  let state = 'sent';
  let farState = () => state;
  const { ask, settled, read } = stand(async () => far({ body: { id: 'far', state: farState() } }));
  const show = () => ask('show', async () => ({ id: `id-${Math.random()}`, state }));
  for (let i = 1; i <= 8; i += 1) {
    await show();
    await settled(i);
  }
  farState = () => {
    state = 'arrived';
    return state;
  };
  await show();
  await settled(9);
  expect(read()).toMatchObject({ differed: 0, far: { bad: 0 }, near: { bad: 0 } });
  // It may move on before the near side is read again.
  const way = ['near', 'far', 'home'];
  const shows = () => ask('show', async () => ({ id: `id-${Math.random()}`, state: way.shift() ?? 'home' }));
  farState = () => way.shift()!;
  await shows();
  await settled(10);
  expect(read()).toMatchObject({ differed: 0 });
  farState = () => 'sent';
  await show();
  await settled(11);
  expect(read()).toMatchObject({ differed: 1, differences: { show: 'body /state differs' } });
});

test('no failure of a shadow is a client’s to hear, and a write waits for its budget alone', async () => {
  const broken = stand(async () => {
    throw new Error('nobody is there');
  });
  expect(await broken.ask('show')).toMatchObject({ state: 'sent' });
  expect(await broken.ask('send')).toMatchObject({ state: 'sent' });
  await vi.waitFor(() => expect(broken.read()).toMatchObject({ failed: 2, mirrored: 0 }));
  const refused = broken.ask('send', () => Promise.reject(new Error('its own')));
  await expect(refused).rejects.toThrow('its own');

  // Whoever carries it ends it by the deadline of the call.
  const slow = stand(
    (_contract, _operation, _input, { deadline }) =>
      new Promise((_, reject) => setTimeout(() => reject(new Error('too late')), deadline - Date.now())),
  );
  const begun = Date.now();
  await slow.ask('send');
  expect(Date.now() - begun).toBeGreaterThan(WRITE_BUDGET_MS - 10);
  expect(slow.read()).toMatchObject({ skipped: 1, skips: { 'budget-reached': 1 }, failed: 0 });
});

test('of what is written seldom the first ones are all tried, operation by operation, and again on another placement', async () => {
  const { ask, settled, place, read } = stand(async () => far());
  const dice = vi.spyOn(Math, 'random').mockReturnValue(0.5);
  try {
    place({ reads: 5, writes: 5, first: 2 }, '2');
    for (const name of ['send', 'send', 'send', 'show'] as const) await ask(name);
    await settled(2);
    expect(read().judged).toEqual({ send: 0 });
    place({ reads: 5, writes: 5, first: 2 }, '3');
    for (let n = 0; n < 4; n += 1) await ask('send');
    await settled(2);
    expect(read().judged).toEqual({ send: 2 });
    place({ reads: 5, writes: 5 }, '4');
    await ask('send');
    expect(read()).toMatchObject({ placedAt: '4', mirrored: 0 });
  } finally {
    dice.mockRestore();
  }
});

test('what was not tried is counted by why, and so is what is known of the noise so far', async () => {
  const { ask, settled, read } = stand(async () => far());
  expect(read()).toMatchObject({ skips: {}, learning: { pairs: 0, of: 3 } });
  const failing = async () => {
    throw new Error('its own');
  };
  await expect(ask('show', failing)).rejects.toThrow('its own');
  await vi.waitFor(() => expect(read()).toMatchObject({ skipped: 1, skips: { unclear: 1 } }));
  for (let n = 1; n <= 20; n += 1) {
    await ask('show');
    await settled(n);
  }
  expect(read().learning).toBeUndefined();
});

test('what several hosts say of shadows is one; a host of the version before says less', () => {
  const [near, far_] = [
    { n: 0, bad: 0 },
    { n: 0, bad: 0 },
  ];
  const before = {
    placedAt: '1',
    mirrored: 1,
    differed: 0,
    skipped: 2,
    failed: 0,
    near,
    far: far_,
    differences: {},
  };
  const host = (report: ShadowReport) => ({ shadows: { parcels: report } });
  const one = host({ ...before, skips: { busy: 2 }, learning: { pairs: 2, of: 30 } });
  const other = host({ ...before, skips: { busy: 1, paused: 1 }, learning: { pairs: 9, of: 30 } });
  expect(shadowSum([one, other], 'parcels', '1')).toMatchObject({
    skipped: 4,
    skips: { busy: 3, paused: 1 },
    learning: { pairs: 9, of: 30 },
  });
  const mixed = shadowSum([one, host(before)], 'parcels', '1');
  expect([mixed.skipped, mixed.skips]).toEqual([4, undefined]);
});

test('what cannot be tried is not, nothing is while nothing is mirrored, and another placement counts anew', async () => {
  const asked = vi.fn(async () => far());
  const { ask, settled, read, place, mirror } = stand(asked);
  expect(cannot(parcels.operations.weigh)).toBe(true);
  await ask('weigh');
  expect(asked).not.toHaveBeenCalled();
  await ask('show');
  await settled(1);
  place({ reads: 0, writes: 100 }, '2');
  expect(read()).toMatchObject({ placedAt: '2', mirrored: 0 });
  await ask('show');
  expect(asked).toHaveBeenCalledTimes(1);
  place(undefined, '3');
  expect(mirror.active).toBe(false);
  expect(mirror.read()).toBeUndefined();
});

test('it leaves off by itself, says so once, and goes on', () => {
  let now = 0;
  const said: string[] = [];
  const clock = () => now;
  const say = (why: string) => said.push(why);
  const host = new LoopBreaker(say, clock);
  const breakers = new Breakers(host, say, clock);
  const another = new Breakers(host, say, clock);
  for (let i = 0; i < MOST_IN_FLIGHT; i += 1) expect(breakers.begins(true)).toBe(true);
  expect(breakers.begins(true)).toBe(false);
  expect(breakers.begins(true)).toBe(false);
  // One that is slow leaves the others alone.
  expect(another.begins(true)).toBe(true);
  another.over(true, false);
  for (let i = 0; i < MOST_IN_FLIGHT; i += 1) breakers.over(true, false);
  expect(breakers.paused).toMatch(/64 shadows/);
  now += PAUSE_MS;
  expect(breakers.paused).toBeUndefined();
  for (let i = 0; i < 100; i += 1) {
    expect(breakers.begins(true)).toBe(true);
    breakers.over(true, i % 20 === 19);
  }
  expect(breakers.begins(true)).toBe(false);
  expect(another.paused).toBeUndefined();
  now += PAUSE_MS;
  host.look(49);
  expect(breakers.begins(true)).toBe(true);
  host.look(80);
  host.look(80);
  expect(breakers.begins(true)).toBe(false);
  expect(another.paused).toMatch(/80 ms late/);
  expect(said).toEqual([
    '64 shadows were under way at once',
    'the event loop of this host is 80 ms late (p99)',
  ]);
  now += PAUSE_MS;
  host.look(90);
  expect([another.paused, said.length]).toEqual([expect.stringMatching(/90 ms late/), 2]);
  now += PAUSE_MS + WELL_MS;
  host.look(70);
  expect(said.slice(2)).toEqual(['the event loop of this host is 70 ms late (p99)']);
});

test('in a busy process reads are tried one at a time, with a rest after each of nine times as long, more or less', () => {
  let now = 0;
  let dice = 0.5;
  const clock = () => now;
  const host = new LoopBreaker(
    () => {},
    clock,
    () => dice,
  );
  const [one, another] = [new Breakers(host, () => {}, clock), new Breakers(host, () => {}, clock)];
  host.works(0.2);
  expect([one.begins(true), one.begins(true), another.begins(true)]).toEqual([true, true, true]);
  host.works(0.9);
  for (const of of [one, one, another]) of.over(true, false);
  expect(one.begins(true)).toBe(true);
  expect([one.begins(true), another.begins(true)]).toEqual([false, false]);
  now += 4;
  one.over(true, false);
  now += 35;
  expect(another.begins(true)).toBe(false);
  now += 1;
  expect(another.begins(true)).toBe(true);
  now += 2;
  dice = 1;
  another.over(true, false);
  now += 26;
  expect(another.begins(true)).toBe(false);
  now += 1;
  expect(another.begins(true)).toBe(true);
  host.works(0.2);
  expect(one.begins(true)).toBe(true);
});

test('in a busy process a write is neither left out nor in the way of reads', () => {
  let now = 0;
  const host = new LoopBreaker(
    () => {},
    () => now,
  );
  const one = new Breakers(
    host,
    () => {},
    () => now,
  );
  host.works(0.9);
  expect([one.begins(false), one.begins(false), one.begins(true)]).toEqual([true, true, true]);
  now += 1;
  one.over(true, false);
  expect([one.begins(false), one.begins(true)]).toEqual([true, false]);
  now += 14;
  one.over(false, false);
  expect(one.begins(true)).toBe(true);
});
