// What the registry says, as OTLP's data points.
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';
import { RegistryProducer } from './otlp-metrics.ts';

async function collected(metrics: ReturnType<typeof createMetrics>): Promise<Map<string, MetricData>> {
  const producer = new RegistryProducer(metrics.registry, resourceFromAttributes({ 'service.name': 'here' }));
  const { resourceMetrics, errors } = await producer.collect();
  expect(errors).toEqual([]);
  expect(resourceMetrics.resource.attributes).toEqual({ 'service.name': 'here' });
  const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  expect(new Set(all.map(({ aggregationTemporality }) => aggregationTemporality))).toEqual(
    new Set([AggregationTemporality.CUMULATIVE]),
  );
  return new Map(all.map((one) => [one.descriptor.name, one]));
}

test('a counter is a monotonic sum since the process began', async () => {
  const metrics = createMetrics('monolith');
  const lost = metrics.counter('parcels_lost_total', 'Parcels that were lost', { where: ['road', 'depot'] });
  lost({ where: 'road' }, 3);
  const before = Date.now();
  const found = (await collected(metrics)).get('parcels_lost_total')!;
  expect(found).toMatchObject({
    descriptor: { name: 'parcels_lost_total', description: 'Parcels that were lost', unit: '' },
    dataPointType: DataPointType.SUM,
    isMonotonic: true,
    dataPoints: [
      { attributes: { where: 'road', host: 'monolith' }, value: 3 },
      { attributes: { where: 'depot', host: 'monolith' }, value: 0 },
    ],
  });
  const [{ startTime, endTime }] = found.dataPoints as [(typeof found.dataPoints)[0]];
  expect(Math.abs(startTime[0] * 1000 - performance.timeOrigin)).toBeLessThanOrEqual(1000);
  expect(endTime[0] * 1000 + endTime[1] / 1e6).toBeGreaterThanOrEqual(before - 1);
  lost({ where: 'road' });
  expect((await collected(metrics)).get('parcels_lost_total')!.dataPoints[0]!.value).toBe(4);
});

test('a gauge is what it is now; one that could not be read is not there', async () => {
  const metrics = createMetrics('monolith');
  metrics.gauge('oldest_seconds', 'Age', ['module'], () => [{ labels: { module: 'parcels' }, value: 1.5 }]);
  metrics.gauge('gone', 'Fails', [], () => Promise.reject(new Error('no')));
  metrics.gauge('odd_bytes', 'No number', [], () => [{ labels: {}, value: Number.NaN }]);
  const all = await collected(metrics);
  expect(all.get('oldest_seconds')).toMatchObject({
    descriptor: { unit: 's' },
    dataPointType: DataPointType.GAUGE,
    dataPoints: [{ attributes: { module: 'parcels', host: 'monolith' }, value: 1.5 }],
  });
  expect(all.has('gone') || all.has('odd_bytes')).toBe(false);
  expect(all.get('process_resident_memory_bytes')?.descriptor.unit).toBe('By');
});

test('a histogram has its edges, each bucket its own count, and what was over the last edge', async () => {
  const metrics = createMetrics('monolith');
  const took = metrics.histogram('trip_seconds', 'Trips', ['by'], [1, 2, 5]);
  for (const seconds of [0.5, 1, 1.5, 7]) took(seconds, { by: 'road' });
  took(3, { by: 'rail' });
  const found = (await collected(metrics)).get('trip_seconds')!;
  expect(found.dataPointType).toBe(DataPointType.HISTOGRAM);
  expect(found.dataPoints.map(({ attributes, value }) => ({ attributes, value }))).toEqual([
    {
      attributes: { by: 'road', host: 'monolith' },
      value: { buckets: { boundaries: [1, 2, 5], counts: [2, 1, 0, 1] }, sum: 10, count: 4 },
    },
    {
      attributes: { by: 'rail', host: 'monolith' },
      value: { buckets: { boundaries: [1, 2, 5], counts: [0, 0, 1, 0] }, sum: 3, count: 1 },
    },
  ]);
});

test('both ways out say the same numbers, of what is counted elsewhere, too', async () => {
  const metrics = createMetrics('monolith');
  const counter = metrics.stats.of('parcels', 'service', 'send');
  for (const ms of [3, 30, 700]) counter.note(ms, ms > 500);
  const text = await metrics.registry.metrics();
  const all = await collected(metrics);
  expect(text).toMatch(/^banyan_requests_total\{module="parcels",.*\} 3$/m);
  expect(all.get('banyan_requests_total')!.dataPoints[0]!.value).toBe(3);
  const { value } = all.get('banyan_request_duration_seconds')!.dataPoints[0]! as {
    value: { count: number; sum: number; buckets: { counts: number[] } };
  };
  expect(text).toMatch(/^banyan_request_duration_seconds_sum\{.*\} 0\.733$/m);
  expect([value.count, value.sum]).toEqual([3, 0.733]);
  expect(value.buckets.counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  // Of all that is scraped, nothing is left out.
  const scraped = [...text.matchAll(/^# TYPE (\S+) (?:counter|histogram)$/gm)].map(([, name]) => name!);
  const withValues = scraped.filter((name) => new RegExp(`^${name}(_count)?(\\{| )`, 'm').test(text));
  expect(withValues.filter((name) => !all.has(name))).toEqual([]);
});
