// Which hosts Prometheus is sent to, and under which names.
import { expect, test } from 'vitest';
import { type Registered, targetsOf } from './discovery.ts';

const host = (of: Partial<Registered>): Registered => ({
  id: 'parcels-1',
  role: 'service',
  modules: ['parcels'],
  url: 'http://127.0.0.1:41234',
  live: true,
  silence: 100,
  ...of,
});

test('each live host is a group of its own, under the id that its series have', () => {
  const hosts = [
    host({ id: 'parcels-10' }),
    host({ id: 'parcels-2', modules: ['parcels', 'depots'], url: 'http://[fd00::2]:4000' }),
    host({ id: 'monolith', role: 'monolith', modules: ['parcels', 'depots'], url: 'https://shop.internal' }),
    host({ id: 'edge', role: 'gateway', modules: [], url: 'http://edge:4000' }),
  ];
  expect(targetsOf(hosts)).toEqual([
    {
      targets: ['edge:4000'],
      labels: { host: 'edge', role: 'gateway', modules: 'none', __scheme__: 'http' },
    },
    {
      targets: ['shop.internal:443'],
      labels: { host: 'monolith', role: 'monolith', modules: 'all', __scheme__: 'https' },
    },
    {
      targets: ['[fd00::2]:4000'],
      labels: { host: 'parcels-2', role: 'service', modules: 'parcels,depots', __scheme__: 'http' },
    },
    {
      targets: ['127.0.0.1:41234'],
      labels: { host: 'parcels-10', role: 'service', modules: 'parcels', __scheme__: 'http' },
    },
  ]);
});

test('one that is gone or silent is in no group', () => {
  expect(targetsOf([host({ live: false }), host({ silence: 3_000 })])).toEqual([]);
  expect(targetsOf([host({ silence: 2_999 })])).toHaveLength(1);
});
