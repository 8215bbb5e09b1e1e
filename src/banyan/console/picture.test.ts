// The picture: looked at while somebody watches and not else; what cannot be read is said so; a host that is silent stands with
// the age of its numbers; a flip has a count only if somebody looked.
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { EventsOverview } from '../events/operations/schemas.ts';
import type { Entry, Overview } from '../placement/admin-contract.ts';
import type { CountedFlip } from '../placement/history.ts';
import type { HostRow, Tables } from '../placement/tables.ts';
import { createMetrics, SAGAS_OPEN } from '../telemetry/metrics.ts';
import { Stats } from '../telemetry/stats.ts';
import type { Collected } from '../telemetry/stats-sums.ts';
import { Looking } from './picture.ts';
import { layerOf } from './picture-of.ts';
import { quantile } from './rates.ts';
import { deployWords } from './shared/deploy-words.ts';
import { wrongIn } from './shared/wrong.ts';
import { type PictureSources, pictureSources } from './sources.ts';

/** Two hosts and two modules, as a test says. */
class World implements PictureSources {
  readonly stats = new Stats();
  asked = 0;
  silent = false;
  broken: string | undefined;
  placement: Entry['placement'] = 'in-process';
  inflight = 0;
  /** Of the service. */
  ready = true;
  instance: Partial<Entry['instances'][number]> | undefined;
  deploy: Entry['deploy'];

  async tables(): Promise<Tables> {
    if (this.broken) throw new Error(this.broken);
    const host = (id: string, role: HostRow['role']) =>
      ({
        host: id,
        id,
        role,
        pid: 1,
        live: true,
        ready: role === 'monolith' || this.ready,
        draining: false,
        retiring: false,
        appliedVersion: 1,
        busy: {},
        inflight: role === 'monolith' && this.inflight > 0 ? { depots: this.inflight } : {},
      }) as unknown as HostRow;
    const hosts = [host('monolith', 'monolith'), host('depots-1', 'service')];
    return {
      version: 1,
      hosts,
      placements: [],
      services: [],
      uses: { parcels: ['depots'] },
    } as unknown as Tables;
  }

  async overview(): Promise<Overview> {
    const entry = (module: string, placement: Entry['placement']) => ({
      module,
      placement,
      percent: placement === 'service' ? 100 : 0,
      instances: module === 'depots' && this.instance ? [this.instance as Entry['instances'][number]] : [],
      desired: 0,
      ...(module === 'depots' && this.deploy && { deploy: this.deploy }),
      changedAt: '2026-11-29T00:00:00.000Z',
      changedBy: 'ada',
    });
    const modules = [entry('depots', this.placement), entry('parcels', 'in-process')];
    return { version: 1, monolith: { pid: 1, url: '' }, monoliths: [], modules };
  }

  async counts(): Promise<Collected> {
    this.asked += 1;
    const now = new Date().toISOString();
    const cost = { cpuSeconds: 1, memoryBytes: 1_000 };
    const said = { since: this.stats.since, now, modules: {}, callers: this.stats.callers(), cost };
    const hosts = [{ host: 'monolith', id: 'monolith', ...said }];
    const other = { since: this.stats.since, now, modules: {}, callers: {}, cost };
    return {
      at: Date.now(),
      hosts: this.silent ? hosts : [...hosts, { host: 'depots-1', id: 'depots-1', ...other }],
      silent: this.silent ? [{ host: 'depots-1', id: 'depots-1', reason: 'no answer within 500 ms' }] : [],
    };
  }

  deliveries = { dead: 0, waiting: 0 };
  counted: Readonly<Record<string, number>> | undefined = {};
  countedOften = 0;

  async events(): Promise<EventsOverview> {
    const flow = {
      module: 'depots',
      outbox: { waiting: 0, oldestSeconds: 0 },
      relay: { holder: null, perSecond: 0 },
      lag: null,
      deliveries: { queued: 0, early: 0, 'unknown-version': 0, ...this.deliveries },
      heldKeys: 0,
      parked: [],
      refused: [],
    };
    return { log: { kind: 'postgres', reachable: true }, modules: [flow] };
  }

  async stuck() {
    this.countedOften += 1;
    return this.counted;
  }

  stores = async () => [];
  transfers = async () => [];
  readonly kept: CountedFlip[] = [];
  keepsNothing = false;
  async keepCount(flip: CountedFlip) {
    if (this.keepsNothing) throw new Error('the control store does not answer');
    this.kept.push(flip);
  }
}

let looking: Looking | undefined;
afterEach(() => looking?.close());

function look(world: World, other: { eventsMs?: number } = {}): Looking {
  const usual = { lookMs: 60, eventsMs: 60, storesMs: 60, lingerMs: 120, polledMs: 120, settlesMs: 150 };
  const pace = { ...usual, ...other };
  looking = new Looking(world, () => {}, pace);
  return looking;
}

/** The picture after the next look. */
function next(of: Looking): Promise<Awaited<ReturnType<Looking['now']>>> {
  return new Promise((resolve) => {
    const stop = of.watch(() => {
      void of.now().then(resolve);
      queueMicrotask(stop);
    });
  });
}

describe('the picture', () => {
  test('is looked at while somebody watches, and nobody is asked before or afterwards', async () => {
    const world = new World();
    const pictures = look(world);
    await pause(50);
    expect(world.asked).toBe(0);
    const stops = [pictures.watch(() => {}), pictures.watch(() => {})];
    await pause(400);
    expect(world.asked).toBeGreaterThan(2);
    expect(world.asked).toBeLessThan(8);
    for (const stop of stops) stop();
    await pause(400);
    const { asked } = world;
    await pause(300);
    expect(world.asked).toBe(asked);
  });

  test('has rates and times of the last seconds, by who asks whom on which side', async () => {
    const world = new World();
    const pictures = look(world);
    const stop = pictures.watch(() => {});
    await next(pictures);
    const near = world.stats.of('depots', 'in-process', 'nearest', 'parcels');
    for (let n = 0; n < 50; n += 1) near.note(3, n < 5);
    world.stats.of('depots', 'in-process', 'nearest').note(30, false);
    const { refs, modules, cost } = await next(pictures);
    stop();
    const asked = refs['parcels>depots']!['in-process']!;
    expect(asked.perSecond).toBeGreaterThan(40);
    expect(asked.errors).toBe(0.1);
    expect(asked.p50).toBeGreaterThan(2);
    expect(asked.p99).toBeLessThanOrEqual(5);
    expect(refs['>depots']!['in-process']!.p50).toBeGreaterThan(20);
    expect(modules.parcels!.layer).toBe(1);
    expect(modules.depots!.numbers['in-process']!.perSecond).toBeGreaterThan(asked.perSecond);
    expect(cost).toMatchObject({
      'in-process': { processes: 1 },
      service: { processes: 1, memoryBytes: 1_000 },
    });
  });

  test('shows a host that is silent with its last numbers and their age', async () => {
    const world = new World();
    const pictures = look(world);
    const stop = pictures.watch(() => {});
    await next(pictures);
    world.silent = true;
    const { hosts } = await next(pictures);
    stop();
    expect(hosts['depots-1']).toMatchObject({ silent: 'no answer within 500 ms', memoryBytes: 1_000 });
    expect(hosts['depots-1']!.numbersAge).toBeGreaterThan(20);
    expect(hosts.monolith).not.toHaveProperty('silent');
  });

  test('says what could not be read, and keeps what it had', async () => {
    const world = new World();
    const pictures = look(world);
    const stop = pictures.watch(() => {});
    await next(pictures);
    world.broken = 'the control store does not answer';
    const { missing, modules } = await next(pictures);
    world.broken = undefined;
    expect(missing).toEqual({ hosts: 'the control store does not answer' });
    expect(Object.keys(modules)).toEqual(['depots', 'parcels']);
    expect((await next(pictures)).missing).toEqual({});
    stop();
  });

  test('says what is wrong: letters and stuck sagas, counted seldom and only while somebody watches', async () => {
    const world = new World();
    const pictures = look(world, { eventsMs: 400 });
    await pause(100);
    expect(world.countedOften).toBe(0);
    const stop = pictures.watch(() => {});
    expect(wrongIn(await next(pictures))).toEqual([]);
    world.deliveries = { dead: 9, waiting: 4 };
    world.counted = { parcels: 2 };
    const words = async () => wrongIn(await next(pictures)).map((one) => one.words);
    let said = await words();
    while (said.length < 3) said = await words();
    expect(said).toEqual(['9 dead letters', '2 sagas are stuck', '4 events wait for the next try']);
    expect(world.countedOften).toBeLessThan(world.asked);
    world.counted = undefined;
    let { stuck } = await next(pictures);
    while (stuck) stuck = (await next(pictures)).stuck;
    stop();
  });

  test('a process that comes up is starting, and one that was ready or ended is not', async () => {
    const world = new World();
    world.ready = false;
    const pictures = look(world);
    const stop = pictures.watch(() => {});
    const seen = async () => (await next(pictures)).modules.depots!.instances['depots-1'];
    const process = { id: 'depots-1', pid: 1, healthy: false, draining: false, differences: [] };
    world.instance = { ...process, url: null };
    expect(await seen()).toHaveProperty('starting', true);
    world.instance = { ...process, url: 'http://depots-1' };
    expect(await seen()).toHaveProperty('starting', true);
    world.instance = { ...process, url: null, lastExit: 'exit code 1' };
    expect(await seen()).not.toHaveProperty('starting');
    world.ready = true;
    world.instance = { ...process, url: 'http://depots-1', healthy: true };
    expect(await seen()).not.toHaveProperty('starting');
    world.ready = false;
    world.instance = { ...process, url: 'http://depots-1' };
    expect(await seen()).not.toHaveProperty('starting');
    stop();
  });

  test('a release beside the one before is shown, and of which one a process is', async () => {
    const world = new World();
    const pictures = look(world);
    const stop = pictures.watch(() => {});
    expect((await next(pictures)).modules.depots).not.toHaveProperty('deploy');
    world.deploy = { release: '1.5.0', percent: 10, before: ['1.4.0', ''] };
    world.instance = { id: 'depots-2', pid: 2, url: 'http://b', release: '1.5.0', differences: [] };
    const { modules } = await next(pictures);
    stop();
    expect(modules.depots).toMatchObject({
      deploy: world.deploy,
      instances: { 'depots-2': { release: '1.5.0' } },
    });
    expect(deployWords(modules.depots!.deploy!)).toBe('deploy: 1.5.0 gets 10%, 1.4.0, no release 90%');
  });

  test('a flip counts what failed since, until nothing of it is under way', async () => {
    const world = new World();
    world.placement = 'service';
    const pictures = look(world);
    const stop = pictures.watch(() => {});
    expect((await next(pictures)).modules.depots).not.toHaveProperty('flip');
    const far = world.stats.of('depots', 'service', 'nearest');
    far.note(3, true);
    await next(pictures);
    world.placement = 'in-process';
    world.inflight = 2;
    far.note(3, true);
    far.note(3, true);
    const begun = (await next(pictures)).modules.depots!.flip;
    expect(begun).toMatchObject({
      from: 'service',
      to: 'in-process',
      by: 'ada',
      failed: 2,
      draining: 2,
      over: false,
    });
    world.inflight = 0;
    let now = begun;
    expect(begun).not.toHaveProperty('overAt');
    while (!now!.over) now = (await next(pictures)).modules.depots!.flip;
    expect(Date.parse(now!.overAt!)).toBeGreaterThan(Date.now() - 5_000);
    far.note(3, true);
    expect((await next(pictures)).modules.depots!.flip).toMatchObject({ failed: 2, draining: 0, over: true });
    expect(world.kept).toMatchObject([{ module: 'depots', placement: 'in-process', percent: 0, failed: 2 }]);
    stop();
  });

  test('what a flip came to is kept, also where the next one ends it and the store does not answer at once', async () => {
    const world = new World();
    const pictures = look(world);
    const stop = pictures.watch(() => {});
    await next(pictures);
    world.keepsNothing = true;
    for (const placement of ['service', 'in-process'] as const) {
      world.placement = placement;
      world.stats.of('depots', 'service', 'nearest').note(3, true);
      await next(pictures);
    }
    while (!(await next(pictures)).modules.depots!.flip!.over);
    expect(world.kept).toEqual([]);
    world.keepsNothing = false;
    await next(pictures);
    expect(world.kept.map(({ placement, failed }) => [placement, failed])).toEqual([
      ['service', 1],
      ['in-process', 1],
    ]);
    stop();
  });
});

test('stuck sagas are counted as /metrics has them; a host that runs none of their modules says that it does not know', async () => {
  const metrics = createMetrics('monolith');
  const { stuck } = pictureSources({ own: [], metrics } as unknown as Parameters<typeof pictureSources>[0]);
  expect(await stuck()).toBeUndefined();
  const sample = (module: string, state: string, step: string, value: number) => ({
    labels: { style: 'x', module, state, step },
    value,
  });
  let samples: ReturnType<typeof sample>[] = [];
  metrics.gauge(SAGAS_OPEN, 'help', ['style', 'step', 'state', 'module'], () => samples);
  expect(await stuck()).toEqual({});
  samples = [
    sample('trips', 'stuck', 'book', 2),
    sample('trips', 'stuck', 'pay', 1),
    sample('trips', 'running', 'pay', 7),
    sample('parcels', 'running', 'send', 3),
  ];
  expect(await stuck()).toEqual({ trips: 3 });
});

test('a quantile lies within its bucket', () => {
  const buckets = [0, 0, 0, 90, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0];
  expect(quantile({ watched: 100, buckets }, 0.5)).toBeCloseTo(3.67, 1);
  expect(quantile({ watched: 100, buckets }, 0.99)).toBeGreaterThan(45);
  expect(quantile({ watched: 0, buckets }, 0.5)).toBeUndefined();
});

test('a layer is the longest way down, and what calls in a circle ends', () => {
  const uses = { a: ['b', 'c'], b: ['c'], c: [], d: ['e'], e: ['d'] };
  expect(['a', 'b', 'c'].map((one) => layerOf(one, uses))).toEqual([2, 1, 0]);
  expect(layerOf('d', uses)).toBe(1);
});
