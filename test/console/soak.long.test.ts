// A working day in a minute: 30,000 pictures with 100,000 changes of what flows, through the page's own code in a browser, and
// through what makes them on the host. Guarantee: between the second and the last tenth the heap after a collection grows by 10 % at most.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Flips } from '../../src/banyan/console/flips.ts';
import { heardOf } from '../../src/banyan/console/heard.ts';
import { type KnownPieces, pictureOf } from '../../src/banyan/console/picture-of.ts';
import { Rates } from '../../src/banyan/console/rates.ts';
import { deltaOf } from '../../src/banyan/console/shared/delta.ts';
import type { HostRow } from '../../src/banyan/placement/tables.ts';
import { Stats } from '../../src/banyan/telemetry/stats.ts';
import { onStage } from './stage.ts';

const PICTURES = 30_000;
const TENTH = PICTURES / 10;

/** After the second tenth, and after the last: what grows by then grows for ever. */
function expectFlat(heaps: readonly number[]): void {
  const [second, last] = [heaps[1]!, heaps.at(-1)!];
  expect(
    last / second,
    `heap after each tenth: ${heaps.map((one) => Math.round(one / 1024)).join(', ')} kB`,
  ).toBeLessThan(1.1);
}

onStage('a long day', (stage) => {
  test('the page', async () => {
    const page = await stage().tab();
    await page.evaluateOnNewDocument(`globalThis.EventSource = class extends EventTarget {
      constructor() { super(); globalThis.pushed = this; }
      close() {}
    }`);
    await page.goto(stage().url);
    await page.waitForSelector('h1');
    await stage().signIn(page);
    await page.waitForFunction('globalThis.pushed !== undefined');
    const session = await page.createCDPSession();
    await session.send('HeapProfiler.enable');
    await page.evaluate(`(async () => {
      const whole = await (await fetch(location.pathname + '/api/picture')).json();
      const names = Object.keys(whole.modules);
      const arrows = Object.keys(whole.arrows);
      const push = (name, data, id) => pushed.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data), lastEventId: 'x-' + id }));
      push('picture', whole, 1);
      let id = 1;
      globalThis.tenth = async (count) => {
        for (let n = 0; n < count; n += 1) {
          id += 1;
          const name = names[id % names.length];
          const set = [
            ['/at', whole.at + id * 1000],
            ['/modules/' + name + '/numbers', { 'in-process': { perSecond: id % 97, p50: id % 13, p99: id % 211, errors: (id % 5) / 100 } }],
            ['/refs/>' + name, { service: { perSecond: id % 89, p50: 1, p99: id % 31, errors: 0 } }],
            ...arrows.slice(0, 2).map((key) => ['/arrows/' + key, { perSecond: id % 7, events: id % 5, seconds: id % 3 }]),
          ];
          push('change', { set, drop: [] }, id);
          if (n % 25 === 0) await new Promise((resolve) => setTimeout(resolve));
        }
      };
    })()`);
    const heaps: number[] = [];
    for (let tenth = 0; tenth < 10; tenth += 1) {
      await page.evaluate(`tenth(${TENTH})`);
      await session.send('HeapProfiler.collectGarbage');
      heaps.push((await session.send('Runtime.getHeapUsage')).usedSize);
    }
    expectFlat(heaps);
  });
});

test('the host', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const modules = ['a', 'b', 'c', 'd', 'e', 'f'];
  const hosts = Array.from({ length: 3 }, (_, at) => `host-${at}`);
  const counted = hosts.map(() => new Stats());
  const [rates, flips] = [new Rates(), new Flips(3_000)];
  const rows = hosts.map(
    (host) =>
      ({
        host,
        id: host,
        role: 'service',
        live: true,
        ready: true,
        busy: {},
        inflight: {},
      }) as unknown as HostRow,
  );
  let heard: ReturnType<typeof heardOf> | undefined;
  let before: unknown = {};
  let at = Date.now();
  const look = (n: number) => {
    at += 1_000;
    const now = new Date(at).toISOString();
    for (const [index, stats] of counted.entries())
      stats
        .of(modules[n % 6]!, n % 2 ? 'service' : 'in-process', 'one', modules[index % 6])
        .note(n % 200, n % 50 === 0);
    const cost = { cpuSeconds: n / 10, memoryBytes: 1e8 };
    const said = hosts.map((host, index) => ({
      host,
      id: host,
      since: now,
      now,
      modules: {},
      callers: counted[index]!.callers(),
      cost,
    }));
    const collected = { at, hosts: said, silent: [] };
    rates.add(collected);
    heard = heardOf(heard, collected, rows);
    const placement = Math.floor(n / 500) % 2 ? 'service' : 'in-process';
    const overview = {
      version: n,
      monolith: { pid: 1, url: '' },
      monoliths: [],
      modules: modules.map((module) => ({
        module,
        placement,
        percent: 0,
        instances: [],
        desired: 0,
        changedAt: now,
        changedBy: 'ada',
      })),
    } as unknown as NonNullable<KnownPieces['overview']>;
    flips.look(at, overview, rows, rates);
    const tables = { version: n, hosts: rows, uses: { a: ['b', 'c'] } } as unknown as NonNullable<
      KnownPieces['tables']
    >;
    const next = pictureOf({ tables, overview, hosts: heard, missing: {} }, rates, flips);
    deltaOf(before, next);
    before = next;
  };
  const heaps: number[] = [];
  for (let tenth = 0; tenth < 10; tenth += 1) {
    for (let n = 0; n < TENTH; n += 1) look(tenth * TENTH + n);
    collect();
    heaps.push(process.memoryUsage().heapUsed);
  }
  expectFlat(heaps);
});
