// Modules of one host measure the same thing each for itself, under one name.
import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('a gauge that two register has the readings of both', async () => {
  const metrics = createMetrics('monolith');
  for (const [module, value] of [
    ['orders', 3],
    ['trips', 4],
  ] as const)
    metrics.gauge('open', 'What is open', ['module'], () => [{ labels: { module }, value }]);
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/^open\{module="orders",.*\} 3$/m);
  expect(text).toMatch(/^open\{module="trips",.*\} 4$/m);
});
