// What an operator is told who flips a module that has no healthy process: it depends on what is there.
import { expect, test } from 'vitest';
import { firstOperator } from '../context/principal.ts';
import { adminHandlers } from './admin.ts';
import type { Follower } from './follower.ts';
import type { ControlStore } from './store.ts';
import type { HostRow, ServiceRow, Tables } from './tables.ts';

const row = (number: number, wanted: boolean) => ({ module: 'orders', number, wanted }) as ServiceRow;
const host = (id: string, flags: Partial<HostRow>) =>
  ({
    id,
    role: 'service',
    modules: ['orders'],
    live: true,
    ready: true,
    differences: [],
    ...flags,
  }) as HostRow;

async function told(services: ServiceRow[], hosts: HostRow[]): Promise<string> {
  const tables = {
    ...{ version: 1, placements: [{ module: 'orders' }], deploys: {} },
    services,
    hosts,
  } as unknown as Tables;
  const store = {
    read: async () => tables,
    flags: { place: async () => ({ outcome: 'no-healthy-instance', version: 1 }) },
  } as unknown as ControlStore;
  const { place } = adminHandlers({
    store,
    follower: {} as Follower,
    host: null,
    monolith: () => ({ pid: 1, url: '' }),
  });
  const call = { principal: firstOperator } as Parameters<typeof place>[1];
  const refused = place({ module: 'orders', placement: 'service' }, call) as Promise<unknown>;
  return refused.then(
    () => 'placed',
    (error: { body: { detail: string } }) => error.body.detail,
  );
}

test.each([
  ['none is there', [], [], /Start one first: npx banyan extract orders/],
  ['one is being stopped', [row(1, false)], [], /orders-1 is being stopped .* npx banyan extract orders$/],
  [
    'one finishes what it has',
    [row(1, true)],
    [host('orders-1', { retiring: true })],
    /orders-1 is being stop/,
  ],
  ['one starts', [row(1, true)], [], /orders-1 is not healthy: it starts, .* npx banyan logs orders$/],
  ['one is silent', [row(1, true)], [host('orders-1', { live: false })], /orders-1 is not healthy/],
  [
    'one is silent that was started elsewhere',
    [],
    [host('orders-7', { live: false })],
    /orders-7 is not healthy: .* It was started elsewhere: see there(?!.*logs)/,
  ],
])('when %s', async (_, services, hosts, words) => {
  expect(await told(services as ServiceRow[], hosts as HostRow[])).toMatch(words as RegExp);
});
