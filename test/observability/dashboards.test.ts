// Dashboards, read: they are what their sources give, each begins with whether anything is wrong, and every number that they ask
// for is one that hosts tell, as docs/observability.md has it; none of those is missing on all of them.
import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboardOf, FIRST_ROW } from '../../deploy/observability/grafana/board.ts';
import { boards } from '../../deploy/observability/grafana/boards.ts';
import { pages } from '../../deploy/observability/grafana/sources.ts';
import { dashboardFiles, type Panel, queriesOf, readDashboard, type Source } from './dashboards.ts';
import { filledIn, readQuery } from './promql.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const values = { rateInterval: '1m', range: '1h', module: 'orders', host: 'monolith' };

/** What Prometheus says by itself, of its targets and rules. */
const PROMETHEUS_OWN = ['up', 'ALERTS'];

const section = read('docs/observability.md')
  .split('\n## ')
  .find((part) => part.startsWith('What is measured'))!;
const listed = [...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name!);

function ofProcess(): string[] {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  registry.clear();
  return names;
}
const known = new Set([...listed, ...ofProcess(), ...PROMETHEUS_OWN]);
const numberOf = (series: string) =>
  known.has(series) ? series : series.replace(/_(bucket|sum|count)$/, '');

const files = dashboardFiles();
const dashboards = files.map((file) => ({ file, ...readDashboard(file) }));

test('the files are what `npm run dashboards` writes', () => {
  expect(files).toEqual(boards.map(({ name }) => `${name}.json`).sort());
  for (const board of boards)
    expect(readDashboard(`${board.name}.json`), `${board.name}: npm run dashboards`).toEqual(
      JSON.parse(JSON.stringify(dashboardOf(board))),
    );
});

describe.each(dashboards)('$file', ({ panels, uid, templating, ...dashboard }) => {
  const rows = panels.filter(({ type }) => type === 'row');
  const drawn = panels.filter(({ type }) => type !== 'row');

  test('begins with whether anything is wrong, and whether anybody answers', () => {
    expect(panels[0]).toMatchObject({ type: 'row', title: FIRST_ROW });
    const first = panels.slice(1, panels.indexOf(rows[1]!));
    expect(first.length).toBeGreaterThan(3);
    expect(first.every(({ type }) => type === 'stat')).toBe(true);
    expect(first[0]!.targets![0]!.expr).toContain('banyan_build_info');
  });

  test('has panels that lie beside each other, with an id, a unit and a word of explanation', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(uid).toMatch(/^banyan-[a-z]+$/);
    for (const { title, description, type, fieldConfig, gridPos } of drawn) {
      expect(description, title).toMatch(/\w/);
      if (type !== 'logs') expect(fieldConfig?.defaults?.unit, title).toMatch(/\w/);
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    }
    const overlap = (a: Panel, b: Panel) =>
      a.gridPos.x < b.gridPos.x + b.gridPos.w &&
      b.gridPos.x < a.gridPos.x + a.gridPos.w &&
      a.gridPos.y < b.gridPos.y + b.gridPos.h &&
      b.gridPos.y < a.gridPos.y + a.gridPos.h;
    for (const [at, one] of panels.entries())
      for (const other of panels.slice(at + 1))
        expect(overlap(one, other), `${one.title} lies over ${other.title}`).toBe(false);
  });

  test('asks in PromQL, and for numbers that hosts tell', () => {
    const asked = queriesOf({ panels, uid, ...dashboard });
    expect(asked.length).toBeGreaterThan(0);
    const variables = (templating?.list ?? []).map(({ name }) => name);
    for (const { where, expression } of asked) {
      const used = [...expression.matchAll(/\$([a-z]\w*)/g)].map(([, name]) => name);
      expect(variables, where).toEqual(expect.arrayContaining(used));
      const { errors, metrics } = readQuery(filledIn(expression, values));
      expect(errors, `${where}: ${expression}`).toEqual([]);
      for (const metric of metrics) expect([...known], where).toContain(numberOf(metric));
    }
    for (const { query } of templating?.list ?? [])
      expect([...known]).toContain(/^label_values\((\w+), \w+\)$/.exec(query)?.[1]);
  });

  test('has its data from sources that are provisioned', () => {
    const { datasources } = parse(read('deploy/observability/grafana/provisioning/datasources/banyan.yaml'));
    const provided = (datasources as Source[]).map(({ type, uid }) => `${type} ${uid}`);
    const named = drawn.flatMap(({ datasource, targets = [] }) => [
      datasource!,
      ...targets.map((target) => target.datasource),
    ]);
    for (const { type, uid } of named) expect(provided).toContain(`${type} ${uid}`);
  });
});

test('every number of docs/observability.md is on a dashboard', () => {
  const shown = new Set(
    dashboards
      .flatMap(queriesOf)
      .flatMap(({ expression }) => [...readQuery(filledIn(expression, values)).metrics])
      .map(numberOf),
  );
  expect(listed.filter((name) => !shown.has(name))).toEqual([]);
});

test('every page that a panel leads to is one that the stack publishes', () => {
  const { services } = parse(read('deploy/observability/compose.yml'), { merge: true });
  const ports = Object.values(services as Record<string, { ports?: string[] }>)
    .flatMap(({ ports = [] }) => ports)
    .map((port) => /^127\.0\.0\.1:(\d+):/.exec(port)?.[1]);
  for (const [name, url] of Object.entries(pages)) expect(ports, name).toContain(new URL(url).port);
  // The console is the product's own.
  const others = dashboards
    .flatMap(({ panels }) => panels.flatMap(({ links = [] }) => links))
    .map(({ url }) => new URL(url).origin)
    .filter((origin) => !(Object.values(pages) as string[]).includes(origin));
  expect(new Set(others)).toEqual(new Set(['http://localhost:3000']));
});

describe('the check itself can fail', () => {
  test('at what is no PromQL', () => {
    expect(readQuery('sum(rate(a[1m])').errors).not.toEqual([]);
    expect(readQuery('sum by (le) (rate(a[1m]))').errors).toEqual([]);
  });
  test('at a number that nobody tells, and one within another', () => {
    expect(readQuery('max(a) / on (host) group_left () sum(b{c="d"})').metrics).toEqual(new Set(['a', 'b']));
    expect(known).not.toContain(numberOf('banyan_request_total'));
    expect(known).toContain(numberOf('banyan_request_duration_seconds_bucket'));
  });
  test('at a variable that no dashboard has', () => {
    expect(() => filledIn('a{b="$nobody"}', values)).toThrow('$nobody');
  });
});
