// Calls to other processes: real ones, that are killed, frozen, drained and started again.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { withFlow } from '../context/call.ts';
import { ModuleUnavailable, Problem, type ProblemBody } from '../contract/problem.ts';
import { tokensOf } from '../identity/known-hosts.fixture.ts';
import type { Instance } from '../routing/snapshot.ts';
import { Stats } from '../telemetry/stats.ts';
import { createGreeter, greeter, INTERNAL_KEY } from './peer.fixture.ts';
import { instanceAt, PeerProcess, WrittenPlacements } from './peers.fixture.ts';
import { type Client, createRef } from './ref.ts';
import { createRemote, type RemoteCalls } from './remote.ts';

const running: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

// Two that every test may use and none may harm.
let one: PeerProcess;
let two: PeerProcess;
beforeAll(async () => {
  [one, two] = await Promise.all([PeerProcess.start('greeter-1'), PeerProcess.start('greeter-2')]);
});
afterAll(() => Promise.all([one.stop(), two.stop()]));

/** One for this test alone. */
async function peer(id: string, port?: number): Promise<PeerProcess> {
  const process = await PeerProcess.start(id, port);
  running.push({ close: () => process.stop() });
  return process;
}

interface Caller {
  readonly remote: RemoteCalls;
  readonly placements: WrittenPlacements;
  readonly ref: Client<typeof greeter>;
  /** `operation:outcome` of every call that ended. */
  readonly outcomes: string[];
  readonly stats: Stats;
}

function callerOf(instances: readonly Instance[], key = INTERNAL_KEY, heartbeatMs = 250): Caller {
  const placements = new WrittenPlacements(instances);
  const outcomes: string[] = [];
  const stats = new Stats();
  const remote = createRemote({
    placements,
    tokens: tokensOf(key, 'monolith'),
    log: { warn: () => undefined },
    heartbeatMs,
    stats,
    observer: {
      onCall: (_module, operation, _ms, outcome) => outcomes.push(`${operation}:${outcome}`),
    },
  });
  running.push(remote);
  const ref = createRef(greeter, { caller: 'orders', local: undefined, remote, placements, strict: true });
  return { remote, placements, ref, outcomes, stats };
}

/** The problem that the call ends with. */
async function problemOf(call: Promise<unknown>): Promise<Problem> {
  const error = await call.then(
    () => new Error('it was answered'),
    (rejected: unknown) => rejected,
  );
  expect(error).toBeInstanceOf(Problem);
  return error as Problem;
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const within = <T>(ms: number, work: () => T, extra: object = {}): T =>
  withFlow({ deadline: Date.now() + ms, traceparent, ...extra }, work);

describe('a call to another process', () => {
  it('is answered', async () => {
    const { ref, outcomes } = callerOf([one.instance]);
    expect(await ref.greet({ name: 'Anna' })).toEqual({ text: 'Anna from greeter-1' });
    expect(outcomes).toEqual(['greet:ok']);
  });

  it('finds its own answer among a thousand at once, over one connection', async () => {
    const { ref } = callerOf([one.instance]);
    const names = Array.from({ length: 1000 }, (_, i) => `name ${i}`);
    const answers = await Promise.all(names.map((name) => ref.greet({ name })));
    expect(answers.map(({ text }) => text)).toEqual(names.map((name) => `${name} from greeter-1`));
  });

  it('carries who asks, the trace, the event and a deadline that is shorter by a hop', async () => {
    const { ref } = callerOf([one.instance]);
    const event = { id: '01980000-0000-7000-8000-000000000001', correlationId: 'c1', replay: false };
    const context = (await within(800, () => ref.context({}), { event })) as Record<string, never>;
    expect(context.principal).toEqual({ kind: 'module', name: 'orders' });
    expect(context.event).toEqual(event);
    expect(context.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)/);
    expect(context.flow).toBe(context.traceparent);
    expect(context.left).toBeLessThanOrEqual(790);
    expect(context.left).toBeGreaterThan(500);
  });

  it('gets five seconds when nobody says how long it may take', async () => {
    const { ref } = callerOf([one.instance]);
    const { left } = (await ref.context({})) as { left: number };
    expect(left).toBeGreaterThan(4500);
    expect(left).toBeLessThanOrEqual(4990);
  });

  it('goes to the instances in turn, and to the one with less to do', async () => {
    const { ref, remote } = callerOf([one.instance, two.instance]);
    const seen: string[] = [];
    for (let i = 0; i < 4; i += 1) seen.push((await ref.greet({ name: 'x' })).text);
    expect(new Set(seen).size).toBe(2);
    const waits = ['a', 'b', 'c', 'd'].map((tag) => ref.wait({ tag }) as Promise<{ from: string }>);
    expect(remote.inflight('greeter')).toBe(4);
    const homes = await Promise.all(
      waits.map((wait, i) => {
        const tag = 'abcd'[i]!;
        void Promise.race([one.says({ begun: tag }), two.says({ begun: tag })]).then(() => {
          one.tell({ answer: tag });
          two.tell({ answer: tag });
        });
        return wait.then(({ from }) => from);
      }),
    );
    expect(homes.filter((home) => home === 'greeter-1')).toHaveLength(2);
    expect(remote.inflight('greeter')).toBe(0);
  });

  it('goes to the monolith when the module is there, and is then not counted as routed to the service', async () => {
    const { ref, placements, remote } = callerOf([]);
    placements.put([one.instance], 'in-process');
    const wait = ref.wait({ tag: 'm' });
    await one.says({ begun: 'm' });
    expect(remote.inflight('greeter')).toBe(0);
    one.tell({ answer: 'm' });
    expect(await wait).toEqual({ tag: 'm', from: 'greeter-1' });
  });
});

describe('what is counted', () => {
  it('is each call once, on the side that it was decided for, whatever became of it', async () => {
    const { ref, remote, placements, stats } = callerOf([one.instance]);
    await ref.greet({ name: 'Anna' });
    await problemOf(ref.greet({ name: 5 } as never));
    expect((await problemOf(within(50, () => ref.wait({ tag: 'late' })))).code).toBe('deadline-exceeded');
    placements.put([one.instance], 'in-process');
    await ref.greet({ name: 'Anna' });
    placements.put([], 'service');
    expect((await problemOf(ref.greet({ name: 'Anna' }))).code).toBe('unavailable');
    // The gateway counts it as the request that it is.
    const client = {
      authorization: undefined,
      deadline: Date.now() + 500,
      traceparent,
      side: 'service' as const,
    };
    placements.put([one.instance], 'service');
    await new Promise((done) => remote.forClient(greeter, 'greet', { name: 'Anna' }, client, done));
    expect(stats.read()).toMatchObject({
      greeter: {
        'in-process': { greet: { count: 1, watched: 1, bad: 0 } },
        service: { greet: { count: 3, watched: 3, bad: 1 }, wait: { count: 1, watched: 1, bad: 1 } },
      },
    });
  });
});

describe('in canary', () => {
  const flow = { deadline: Number.POSITIVE_INFINITY, traceparent, share: { key: 'somebody' } };

  it('the key goes along to who serves the call', async () => {
    const { ref, placements } = callerOf([one.instance]);
    placements.share([one.instance], []);
    expect(await withFlow(flow, () => ref.context({}))).toMatchObject({ share: { key: 'somebody' } });
    placements.put([one.instance], 'service');
    const ofTrace = { share: { key: traceparent.slice(3, 35) } };
    expect(await withFlow(flow, () => ref.context({}))).toMatchObject(ofTrace);
  });

  it('a call that nobody answers far is answered near, and counts as failed far', async () => {
    const { ref, placements, stats } = callerOf([]);
    for (const far of [[], [{ ...one.instance, host: 'gone', url: 'http://127.0.0.1:1' }]]) {
      placements.share(far, [one.instance]);
      await withFlow(flow, () => ref.greet({ name: 'Anna' }));
    }
    expect(stats.read()).toMatchObject({
      greeter: { 'in-process': { greet: { count: 2, bad: 0 } }, service: { greet: { count: 2, bad: 2 } } },
    });
    placements.put([], 'service');
    expect((await problemOf(withFlow(flow, () => ref.greet({ name: 'Anna' })))).status).toBe(503);
  });
});

describe('a problem', () => {
  it('is the same far as near, whatever its kind', async () => {
    const placements = new WrittenPlacements([one.instance], 'in-process');
    const { remote, ref: far } = callerOf([...placements.current.monoliths]);
    const { dispatcher } = createGreeter('near', () => undefined);
    const near = createRef(greeter, {
      caller: 'orders',
      local: dispatcher,
      remote,
      placements,
      strict: true,
    });
    const asked: ((client: Client<typeof greeter>) => Promise<unknown>)[] = [
      (client) => client.greet({ name: '' }),
      (client) => client.greet({ name: 1, surplus: true } as never),
      (client) => client.greet({} as never),
      (client) => client.greet(undefined as never),
      (client) => client.forAdmins({}),
      (client) => client.take({ how: 'problem' }),
    ];
    for (const ask of asked) {
      const [here, there] = [await problemOf(ask(near)), await problemOf(ask(far))];
      expect(there.body).toEqual(here.body);
      expect(there.retryAfter).toEqual(here.retryAfter);
    }
  });

  it('says nothing of the inside when the operation failed', async () => {
    const { ref } = callerOf([one.instance]);
    for (const how of ['error', 'cycle']) {
      const { body } = await problemOf(ref.take({ how }));
      expect([body.status, body.code]).toEqual([500, 'internal']);
      expect(JSON.stringify(body)).not.toMatch(/secret|circular|\.ts/i);
    }
  });

  it('stays with the call whose input or answer is too large', async () => {
    const { ref } = callerOf([one.instance]);
    const wait = ref.greet({ name: 'beside' });
    const large = 'ä'.repeat(3 * 1024 * 1024);
    expect((await problemOf(ref.look({ tag: large }))).code).toBe('too-large');
    expect((await problemOf(ref.repeat({ letters: 'ä', times: 3 * 1024 * 1024 }))).code).toBe('internal');
    expect(await wait).toEqual({ text: 'beside from greeter-1' });
    expect(await ref.repeat({ letters: 'x', times: 3 * 1024 * 1024 })).toHaveLength(3 * 1024 * 1024);
  });
});

describe('a deadline', () => {
  it('ends the call and reaches the handler', async () => {
    const { ref } = callerOf([one.instance]);
    const { body } = await problemOf(within(150, () => ref.look({ tag: 'late' })));
    expect([body.code, body.module]).toEqual(['deadline-exceeded', 'greeter']);
    await one.says({ cancelled: 'late' });
  });

  it('that has passed sends nothing', async () => {
    const { ref } = callerOf([one.instance]);
    expect((await problemOf(within(-1, () => ref.look({ tag: 'gone' })))).code).toBe('deadline-exceeded');
    await ref.greet({ name: 'x' });
    expect(one.heard({ begun: 'gone' })).toBe(0);
  });

  it('ends a call to a process that is frozen; the next calls go elsewhere', async () => {
    const frozen = await peer('greeter-1');
    const lively = two;
    // Cut off by the heartbeat 300 ms from now at the earliest.
    const { ref, placements } = callerOf([frozen.instance], INTERNAL_KEY, 100);
    await ref.greet({ name: 'x' });
    await frozen.signal('SIGSTOP');
    const wait = within(100, () => ref.greet({ name: 'x' }));
    expect((await problemOf(wait)).code).toBe('deadline-exceeded');
    placements.put([frozen.instance, lively.instance]);
    for (let i = 0; i < 20; i += 1) {
      const { text } = await within(4000, () => ref.greet({ name: 'y' }));
      expect(text).toBe('y from greeter-2');
    }
    await frozen.signal('SIGCONT');
  });

  it('is not needed where the connection is found dead first', async () => {
    const frozen = await peer('greeter-1');
    const lively = two;
    const { ref, placements } = callerOf([frozen.instance]);
    await ref.greet({ name: 'x' });
    await frozen.signal('SIGSTOP');
    const [look, create] = [ref.look({ tag: 'f' }), ref.create({ tag: 'f' })];
    look.catch(() => undefined);
    placements.put([frozen.instance, lively.instance]);
    // The heartbeat cuts the frozen one off: what may be repeated is, the other is told.
    expect((await problemOf(create)).code).toBe('unavailable');
    await lively.says({ begun: 'f' });
    await frozen.signal('SIGCONT');
  });
});

describe('a cancelled call', () => {
  it('ends at once and reaches the handler', async () => {
    const { ref, remote } = callerOf([one.instance]);
    const controller = new AbortController();
    const call = within(5000, () => ref.look({ tag: 'unwanted' }), { signal: controller.signal });
    await one.says({ begun: 'unwanted' });
    controller.abort(new Error('went away'));
    await expect(call).rejects.toThrow('went away');
    expect(remote.inflight('greeter')).toBe(0);
    await one.says({ cancelled: 'unwanted' });
  });

  it('reaches the handler also when the caller is gone altogether', async () => {
    const { ref, remote } = callerOf([one.instance]);
    const call = problemOf(ref.look({ tag: 'left' }));
    await one.says({ begun: 'left' });
    await remote.close();
    expect((await call).code).toBe('unavailable');
    await one.says({ cancelled: 'left' });
    expect((await problemOf(ref.greet({ name: 'x' }))).code).toBe('unavailable');
  });
});

describe('a process that is killed with calls under way', () => {
  it('is left for another by what may be repeated, and by nothing else', async () => {
    const doomed = await peer('greeter-1');
    const { ref, placements } = callerOf([doomed.instance]);
    const look = problemOf(ref.look({ tag: 'k' }));
    const create = problemOf(ref.create({ tag: 'k' }));
    await Promise.all([doomed.says({ begun: 'k' }), ref.greet({ name: 'x' })]);
    const other = await peer('greeter-2');
    placements.put([doomed.instance, other.instance]);
    await doomed.signal('SIGKILL');
    const lost = await create;
    expect(lost).toBeInstanceOf(ModuleUnavailable);
    expect([lost.status, lost.body.module, lost.retryAfter]).toEqual([503, 'greeter', 1]);
    expect((lost as ModuleUnavailable).nothingSent).toBe(false);
    await other.says({ begun: 'k' });
    await other.signal('SIGKILL');
    // One retry and no more.
    expect((await look).code).toBe('unavailable');
  });

  it('loses nothing that it had not been sent', async () => {
    const dead = await peer('greeter-1');
    await dead.signal('SIGKILL');
    const alive = two;
    const { ref } = callerOf([dead.instance, alive.instance]);
    const calls = Array.from({ length: 20 }, (_, i) => {
      const call = ref.wait({ tag: `w${i}` });
      void alive.says({ begun: `w${i}` }).then(() => alive.tell({ answer: `w${i}` }));
      return call;
    });
    for (const answer of await Promise.all(calls)) expect(answer).toMatchObject({ from: 'greeter-2' });
  });

  it('is found in the placements that are read again', async () => {
    const dead = await peer('greeter-1');
    await dead.signal('SIGKILL');
    const { ref, placements } = callerOf([dead.instance]);
    placements.found = [one.instance];
    expect(await ref.greet({ name: 'Anna' })).toEqual({ text: 'Anna from greeter-1' });
    expect(placements.refreshed).toBe(1);
  });

  it('is one typed error when there is no other', async () => {
    const dead = await peer('greeter-1');
    await dead.signal('SIGKILL');
    const { ref, outcomes, placements } = callerOf([dead.instance]);
    for (const call of [ref.greet({ name: 'x' }), ref.create({ tag: 'x' })]) {
      const problem = await problemOf(call);
      expect(problem).toBeInstanceOf(ModuleUnavailable);
      expect((problem as ModuleUnavailable).nothingSent).toBe(true);
      expect(problem.message).toMatch(/^greeter is not available: /);
      expect(problem.body.detail).toMatch(/^greeter is not available at the moment\. Try again/);
    }
    expect(outcomes).toEqual(['greet:unavailable', 'create:unavailable']);
    expect(placements.refreshed).toBe(2);
  });

  it('is reached again once it listens where it listened', async () => {
    const first = await peer('greeter-1');
    const { ref } = callerOf([first.instance]);
    await ref.greet({ name: 'x' });
    await first.signal('SIGKILL');
    await problemOf(ref.greet({ name: 'x' }));
    await peer('greeter-1', first.port);
    await expect.poll(() => ref.greet({ name: 'x' }).catch(() => null)).toEqual({ text: 'x from greeter-1' });
  });
});

describe('a process that drains', () => {
  it('answers what it has begun, refuses the rest unbegun, and loses nothing', async () => {
    const leaving = await peer('greeter-1');
    const staying = two;
    const { ref, placements } = callerOf([leaving.instance]);
    const under = ref.wait({ tag: 'd' });
    await leaving.says({ begun: 'd' });
    placements.put([leaving.instance, staying.instance]);
    leaving.tell({ drain: 5000 });
    const results: string[] = [];
    // Calls that may not be repeated go on all the while; none may fail, wherever they are caught.
    for (let i = 0; i < 200; i += 1) {
      const tag = `n${i}`;
      const call = ref.wait({ tag }) as Promise<{ from: string }>;
      void Promise.race([leaving.says({ begun: tag }), staying.says({ begun: tag })]).then(() => {
        leaving.tell({ answer: tag });
        staying.tell({ answer: tag });
      });
      results.push((await call).from);
      if (i === 100) leaving.tell({ answer: 'd' });
    }
    expect(await under).toEqual({ tag: 'd', from: 'greeter-1' });
    expect(results.at(-1)).toBe('greeter-2');
    await leaving.says({ drained: true });
  });

  it('gives up on what does not end', async () => {
    const leaving = await peer('greeter-1');
    const { ref } = callerOf([leaving.instance]);
    const call = problemOf(ref.create({ tag: 'stuck' }));
    await leaving.says({ begun: 'stuck' });
    leaving.tell({ drain: 50 });
    await leaving.says({ drained: true });
    expect((await call).code).toBe('unavailable');
  });
});

describe('a peer with another key', () => {
  it('refuses the connection, and that is what the error says', async () => {
    const { ref } = callerOf([one.instance], 'another key of some length');
    const { code, message } = await problemOf(ref.greet({ name: 'x' }));
    expect([code, message]).toEqual(['unavailable', expect.stringContaining('401')]);
  });

  it('is told apart by its audience', async () => {
    const elsewhere = { ...instanceAt('catalog-1', one.port, 1) };
    const { ref } = callerOf([elsewhere]);
    const refused = await problemOf(ref.greet({ name: 'x' }));
    expect(refused.message).toMatch(/401/);
    expect(refused.body.detail).not.toMatch(/401/);
  });
});

describe('a snapshot', () => {
  it('that forgets a process closes the connection to it, once its calls are answered', async () => {
    const old = await peer('greeter-1');
    const { ref, placements } = callerOf([old.instance]);
    const under = ref.wait({ tag: 's' });
    await old.says({ begun: 's' });
    placements.put([two.instance]);
    expect(await ref.greet({ name: 'x' })).toEqual({ text: 'x from greeter-2' });
    old.tell({ answer: 's' });
    expect(await under).toEqual({ tag: 's', from: 'greeter-1' });
    old.tell({ drain: 10_000 });
    await old.says({ drained: true });
  });

  it('without a healthy process is looked up again, and then says so', async () => {
    const { ref, placements } = callerOf([{ ...one.instance, healthy: false }]);
    const { body } = await problemOf(ref.greet({ name: 'x' }));
    expect(body as ProblemBody).toMatchObject({ status: 503, module: 'greeter' });
    expect(placements.refreshed).toBe(1);
  });
});
