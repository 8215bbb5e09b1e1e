// The fork: near or far by the snapshot of that very moment.
import { describe, expect, it } from 'vitest';
import { withFlow } from '../context/call.ts';
import type { Placement } from '../routing/snapshot.ts';
import { Stats } from '../telemetry/stats.ts';
import { createGreeter, greeter } from './peer.fixture.ts';
import { WrittenPlacements } from './peers.fixture.ts';
import { createRef, RefInsideTransaction } from './ref.ts';

const flow = { deadline: Number.POSITIVE_INFINITY, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };

function refOf({ local = true, strict = true, placement = 'in-process' as Placement } = {}) {
  const placements = new WrittenPlacements([], placement);
  const asked: unknown[][] = [];
  const stats = new Stats();
  const ref = createRef(greeter, {
    caller: 'orders',
    local: local ? createGreeter('here', () => undefined, true).dispatcher : undefined,
    remote: async (contract, operation, input, caller) => {
      asked.push([contract.module, operation, input, caller]);
      return { text: 'from afar' };
    },
    placements,
    stats,
    strict,
  });
  return { ref, placements, asked, stats };
}

describe('a ref', () => {
  it('asks where the module is at that moment, on every call', async () => {
    const { ref, placements, asked } = refOf();
    const answers: string[] = [];
    for (const placement of ['in-process', 'service', 'in-process', 'service', 'service'] as const) {
      placements.put([], placement);
      answers.push((await ref.greet({ name: 'Anna' })).text);
    }
    expect(answers).toEqual(['Anna from here', 'from afar', 'Anna from here', 'from afar', 'from afar']);
    expect(asked[0]).toEqual(['greeter', 'greet', { name: 'Anna' }, 'orders']);
  });

  it('counts what it asks near, and leaves what goes far to whoever carries it', async () => {
    const { ref, placements, stats } = refOf();
    for (let call = 0; call < 17; call += 1) await ref.greet({ name: 'Anna' });
    await ref.greet({ name: 5 } as never).catch(() => undefined);
    placements.put([], 'service');
    await ref.greet({ name: 'Anna' });
    expect(stats.read()).toMatchObject({
      greeter: { 'in-process': { greet: { count: 18, watched: 2, bad: 0 } } },
    });
    expect(stats.read().greeter).not.toHaveProperty('service');
  });

  it('asks afar where the host does not run the module, wherever that is', async () => {
    const { ref, placements } = refOf({ local: false });
    for (const placement of ['in-process', 'service'] as const) {
      placements.put([], placement);
      expect(await ref.greet({ name: 'Anna' })).toEqual({ text: 'from afar' });
    }
  });

  it('stays near for a module that no placement names yet', async () => {
    const { ref, placements } = refOf();
    placements.current = { ...placements.current, modules: {} };
    expect(await ref.greet({ name: 'Anna' })).toEqual({ text: 'Anna from here' });
  });

  it('finishes where it began when the placement changes under it', async () => {
    const { ref, placements } = refOf();
    const call = ref.greet({ name: 'Anna' });
    placements.put([], 'service');
    expect(await call).toEqual({ text: 'Anna from here' });
  });

  it('throws inside an open transaction, near and far, and names the line that opened it', async () => {
    for (const placement of ['in-process', 'service'] as const) {
      const { ref } = refOf({ placement });
      const inside = () =>
        withFlow({ ...flow, transaction: 'src/modules/orders/service.ts:12' }, () =>
          ref.greet({ name: 'A' }),
        );
      expect(inside).toThrow(RefInsideTransaction);
      expect(inside).toThrow(
        'greeter.greet was called inside the store transaction opened at src/modules/orders/service.ts:12',
      );
      await withFlow(flow, () => ref.greet({ name: 'A' }));
    }
  });

  it('does not look for a transaction in production', async () => {
    const { ref } = refOf({ strict: false });
    const inside = withFlow({ ...flow, transaction: 'x' }, () => ref.greet({ name: 'A' }));
    expect(await inside).toEqual({ text: 'A from here' });
  });
});
