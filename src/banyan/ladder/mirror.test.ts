// A mirror: what is tried, in which order, what differs, and that nobody waits for it or hears of its failures.
import { expect, test, vi } from 'vitest';
import { anonymous } from '../context/principal.ts';
import { defineContract, event, nothing, operation } from '../contract/contract.ts';
import { Problem } from '../contract/problem.ts';
import { Type } from '../contract/type.ts';
import type { Snapshot } from '../routing/snapshot.ts';
import { cannot } from './attempt.ts';
import { Breakers, MOST_IN_FLIGHT, PAUSE_MS } from './breakers.ts';
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
  const breakers = new Breakers((why) => said.push(why));
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
    place(mirrored: { reads: number; writes: number } | undefined, changedAt: string) {
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
    expect(read()).toMatchObject({ differed: 1, differences: { show: why } });
    expect(samples).toMatchObject([{ module: 'parcels', operation: 'show', why: [why] }]);
    expect(JSON.stringify(samples)).not.toMatch(/id-\d|lost/);
  }
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
  expect(slow.read()).toMatchObject({ skipped: 1, failed: 0 });
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
  const breakers = new Breakers(
    (why) => said.push(why),
    () => now,
  );
  for (let i = 0; i < MOST_IN_FLIGHT; i += 1) expect(breakers.begins()).toBe(true);
  expect(breakers.begins()).toBe(false);
  expect(breakers.begins()).toBe(false);
  for (let i = 0; i < MOST_IN_FLIGHT; i += 1) breakers.over(false);
  expect(breakers.paused).toMatch(/64 shadows/);
  now += PAUSE_MS;
  expect(breakers.paused).toBeUndefined();
  for (let i = 0; i < 100; i += 1) {
    expect(breakers.begins()).toBe(true);
    breakers.over(i % 20 === 19);
  }
  expect(breakers.begins()).toBe(false);
  now += PAUSE_MS;
  breakers.loop(49);
  expect(breakers.begins()).toBe(true);
  breakers.loop(80);
  breakers.loop(80);
  expect(breakers.begins()).toBe(false);
  expect(said).toEqual([
    '64 shadows were under way at once',
    '5 of the last 100 shadows reached their budget',
    'the event loop of this host is 80 ms late (p99)',
  ]);
});
