// The role that the collector gives to numbers that are pushed, by its own program: the pipeline of numbers is the one that is
// delivered, with a receiver of the test at its end. Of the other pipelines it knows nothing, so any build of the collector with the
// parts of this one will do. Where the program is not, it is left out.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { freePorts } from '../../src/banyan/postgres/free-port.ts';
import { eventually } from '../shop.ts';
import { Collector } from '../telemetry-collector.ts';
import { missing, programOf, type Running, startProgram, validated } from './programs.ts';

const delivered = parse(
  readFileSync(new URL('../../deploy/observability/collector/collector.yaml', import.meta.url), 'utf8'),
);
const absent = !programOf('otelcol-contrib');

/** The delivered pipeline of numbers, and nothing of the others; JSON is YAML, too. */
function numbersAlone(prometheus: string): string {
  const { metrics } = delivered.service.pipelines;
  const only = (all: object, names: readonly string[]) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  const end = { endpoint: prometheus, encoding: 'json', compression: 'none' };
  return JSON.stringify({
    receivers: delivered.receivers,
    processors: only(delivered.processors, metrics.processors),
    exporters: Object.fromEntries(metrics.exporters.map((name: string) => [name, end])),
    service: { ...delivered.service, pipelines: { metrics } },
  });
}

const attributes = (all: Readonly<Record<string, string>>) =>
  Object.entries(all).map(([key, stringValue]) => ({ key, value: { stringValue } }));

/** A number of each kind, as a host of that name says them: none with a role but the last. */
function told(service: string) {
  const point = { timeUnixNano: `${Date.now()}000000`, asDouble: 1, attributes: [] };
  const ofRole = { ...point, attributes: attributes({ role: 'gateway' }) };
  const histogram = {
    ...point,
    asDouble: undefined,
    count: 1,
    sum: 1,
    bucketCounts: [1, 0],
    explicitBounds: [2],
  };
  const metrics = [
    { name: 'gauge', gauge: { dataPoints: [point] } },
    { name: 'counter', sum: { dataPoints: [point], aggregationTemporality: 2, isMonotonic: true } },
    { name: 'histogram', histogram: { dataPoints: [histogram], aggregationTemporality: 2 } },
    { name: 'hosts', gauge: { dataPoints: [ofRole] } },
  ];
  return {
    resource: { attributes: attributes({ 'service.name': service, 'service.instance.id': `${service}-1` }) },
    scopeMetrics: [{ scope: { name: 'banyan' }, metrics }],
  };
}

describe.skipIf(absent)(`roles of numbers${absent ? ` (${missing('otelcol-contrib')})` : ''}`, () => {
  const prometheus = new Collector();
  const folder = mkdtempSync(join(tmpdir(), 'banyan-roles-'));
  const config = join(folder, 'collector.json');
  let collector: Running;
  let receiver: string;

  beforeAll(async () => {
    const [port] = await freePorts(1);
    receiver = `127.0.0.1:${port}`;
    writeFileSync(config, numbersAlone(await prometheus.start()));
    collector = await startProgram('otelcol-contrib', [`--config=${config}`], { LISTEN: receiver }, () =>
      fetch(`http://${receiver}/`),
    );
    const sent = await fetch(`http://${receiver}/v1/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceMetrics: ['monolith', 'gateway', 'orders', 'orders-carts'].map(told) }),
    });
    expect(sent.status, await sent.text()).toBe(200);
  });
  afterAll(async () => {
    await collector?.stop();
    prometheus.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('the collector takes its pipeline of numbers, and finds nothing of it deprecated', async () => {
    await validated(config);
    expect(collector.said()).not.toMatch(/deprecated/i);
  });

  test.each([
    ['monolith', 'monolith'],
    ['gateway', 'gateway'],
    ['orders', 'service'],
    ['orders-carts', 'service'],
  ])('numbers of %s are of the role %s, whatever their kind', async (service, role) => {
    for (const name of ['gauge', 'counter', 'histogram'])
      await eventually(() =>
        expect(prometheus.points(`${service}-1`, name)).toEqual([{ attributes: { role }, value: 1 }]),
      );
  });

  test('a number that has a role keeps it', async () => {
    for (const host of ['monolith-1', 'orders-1'])
      await eventually(() =>
        expect(prometheus.points(host, 'hosts')).toEqual([{ attributes: { role: 'gateway' }, value: 1 }]),
      );
  });
});
