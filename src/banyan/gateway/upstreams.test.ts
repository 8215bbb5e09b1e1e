// Which process a gateway sends a request to while a release is deployed beside another; what it does else is proxy.test.ts.
import { afterEach, expect, it } from 'vitest';
import { RefusalLog } from '../identity/hop.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import type { Deploy, Instance, Placements } from '../routing/snapshot.ts';
import { createUpstreams, type Upstreams } from './upstreams.ts';

let upstreams: Upstreams;
afterEach(() => upstreams.close());

const instance = (id: string, release: string, healthy = true) =>
  ({ id, host: id, url: 'http://127.0.0.1:9', doors: ['ws'], healthy, release }) as unknown as Instance;

function world(deploy: Deploy | undefined, instances: readonly Instance[]) {
  const modules = { shop: { module: 'shop', placement: 'service', percent: 100, instances, deploy } };
  const placements = { current: { modules, monoliths: [] }, subscribe: () => () => {} };
  upstreams = createUpstreams({
    placements: placements as unknown as Placements,
    tokens: { mint: () => 'internal' } as unknown as InternalTokens,
    refusals: new RefusalLog({ warn: () => {} }),
    onHeld: () => {},
    alone: false,
  });
  return (key: string, tried?: ReadonlySet<string>) => upstreams.pick('shop', 'service', tried, { key })?.id;
}

const keys = Array.from({ length: 200 }, (_, n) => `user-${n}`);
const both = [instance('shop-1', '1.4.0'), instance('shop-2', '1.5.0')];

it('goes by the key: the same one each time', () => {
  const pick = world({ release: '1.5.0', percent: 30, before: ['1.4.0'] }, both);
  const first = keys.map((key) => pick(key));
  expect(keys.map((key) => pick(key))).toEqual(first);
  expect(first.filter((id) => id === 'shop-2').length).toBeGreaterThan(30);
  expect(first.filter((id) => id === 'shop-2').length).toBeLessThan(90);
});

it('goes elsewhere where the right one failed, is held out, or is not healthy', () => {
  const all = { release: '1.5.0', percent: 100, before: ['1.4.0'] };
  const pick = world(all, both);
  expect(pick('k')).toBe('shop-2');
  expect(pick('k', new Set(['shop-2']))).toBe('shop-1');
  upstreams.refused(both[1]!, 'shop-2 does not answer');
  expect(pick('k')).toBe('shop-1');
  upstreams.close();
  expect(world(all, [both[0]!, instance('shop-2', '1.5.0', false)])('k')).toBe('shop-1');
});

it('takes turns where no release is deployed', () => {
  const pick = world(undefined, both);
  expect(new Set([pick('k'), pick('k')])).toEqual(new Set(['shop-1', 'shop-2']));
});
