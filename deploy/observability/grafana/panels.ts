// The kinds of panels that dashboards are made of, so that the same thing looks the same everywhere: what says whether something
// is wrong, lines over time, a table with a row for each module or host, lines of the log. It knows no metric.

import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  LogsDedupStrategy,
  LogsSortOrder,
  ReduceDataOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as elastic from '@grafana/grafana-foundation-sdk/elasticsearch';
import { PanelBuilder as LogsBuilder } from '@grafana/grafana-foundation-sdk/logs';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { elasticsearch, prometheus } from './sources.ts';

/** Grafana's names; `suffix:` says our own. */
export type Unit =
  | 'short'
  | 's'
  | 'bytes'
  | 'Bps'
  | 'percentunit'
  | 'reqps'
  | 'eps'
  | 'ops'
  | 'suffix: cores'
  | 'suffix: B per req/s';

export interface Link {
  readonly title: string;
  readonly url: string;
}

export interface About {
  readonly title: string;
  /** For whoever does not know the number: what it means, and what to do about it. */
  readonly about: string;
  readonly unit: Unit;
  /** Of 24. */
  readonly span?: number;
  readonly links?: readonly Link[];
}

/** A query, and how its series are called: `{{module}}`. */
export type Series = readonly [expression: string, legend: string];

/** From which value on it is worth a look, and from which it is wrong. */
export interface Limits {
  readonly look?: number;
  readonly wrong?: number;
  /** Wrong is what is less. */
  readonly least?: number;
}

const HEIGHT = { stat: 4, lines: 8, table: 9, logs: 12 } as const;

const ids = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

const query = ([expression, legend]: Series, at: number) =>
  new DataqueryBuilder().datasource(prometheus).refId(ids[at]!).expr(expression).legendFormat(legend);

const linksOf = ({ links = [] }: About) =>
  links.map(({ title, url }) =>
    new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).targetBlank(true),
  );

function steps({ look, wrong, least }: Limits) {
  const list =
    least === undefined
      ? [
          { value: null, color: 'green' },
          ...(look === undefined ? [] : [{ value: look, color: 'orange' }]),
          ...(wrong === undefined ? [] : [{ value: wrong, color: 'red' }]),
        ]
      : [
          { value: null, color: 'red' },
          { value: least, color: 'green' },
        ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(list);
}

/** One of the first row: green, or wrong. */
export function verdict(about: About, limits: Limits, ...series: readonly Series[]): Builder<Panel> {
  return new StatBuilder()
    .title(about.title)
    .description(about.about)
    .datasource(prometheus)
    .unit(about.unit)
    .span(about.span ?? 3)
    .height(HEIGHT.stat)
    .links(linksOf(about))
    .thresholds(steps(limits))
    .colorMode(BigValueColorMode.Background)
    .graphMode(BigValueGraphMode.Area)
    .textMode(series.length > 1 ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .noValue('nobody answers')
    .targets(series.map((one, at) => query(one, at).range()));
}

export function lines(about: About, ...series: readonly Series[]): Builder<Panel> {
  return new LinesBuilder()
    .title(about.title)
    .description(about.about)
    .datasource(prometheus)
    .unit(about.unit)
    .min(0)
    .span(about.span ?? 12)
    .height(HEIGHT.lines)
    .links(linksOf(about))
    .lineWidth(1)
    .fillOpacity(8)
    .noValue('nothing yet')
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(series.map((one, at) => query(one, at).range()));
}

export interface Column {
  readonly name: string;
  readonly unit: Unit;
  readonly expression: string;
  readonly limits?: Limits;
}

/**
 * A row for each value of the labels, as it is now.
 * @param labels by what rows are told apart, with the names of their columns.
 */
export function table(
  about: About,
  labels: Readonly<Record<string, string>>,
  ...columns: readonly Column[]
): Builder<Panel> {
  const builder = new TableBuilder()
    .title(about.title)
    .description(about.about)
    .datasource(prometheus)
    .unit(about.unit)
    .span(about.span ?? 24)
    .height(HEIGHT.table)
    .links(linksOf(about))
    .noValue('')
    .targets(
      columns.map(({ expression }, at) =>
        query([expression, ''], at).format(PromQueryFormat.Table).instant(),
      ),
    )
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(
          [...Object.keys(labels), ...columns.map((_, at) => columnOf(at, columns.length))].map(
            (name, at) => [name, at],
          ),
        ),
        renameByName: {
          ...labels,
          ...Object.fromEntries(columns.map(({ name }, at) => [columnOf(at, columns.length), name])),
        },
      },
    });
  for (const { name, unit, limits } of columns)
    builder.withOverride({
      matcher: { id: 'byName', options: name },
      properties: [
        { id: 'unit', value: unit },
        ...(limits
          ? [
              { id: 'thresholds', value: steps(limits).build() },
              { id: 'custom.cellOptions', value: { type: 'color-text' } },
            ]
          : []),
      ],
    });
  return builder;
}

/** As Grafana calls the value of a query in a table. */
const columnOf = (at: number, of: number) => (of === 1 ? 'Value' : `Value #${ids[at]!}`);

/** @param lucene in which lines it is interested. */
export function logLines(about: Omit<About, 'unit'>, lucene: string): Builder<Panel> {
  return new LogsBuilder()
    .title(about.title)
    .description(about.about)
    .datasource(elasticsearch)
    .span(about.span ?? 24)
    .height(HEIGHT.logs)
    .links(linksOf({ ...about, unit: 'short' }))
    .showTime(true)
    .wrapLogMessage(true)
    .enableLogDetails(true)
    .dedupStrategy(LogsDedupStrategy.None)
    .sortOrder(LogsSortOrder.Descending)
    .withTarget(
      new elastic.DataqueryBuilder()
        .datasource(elasticsearch)
        .refId('A')
        .query(lucene)
        .timeField('@timestamp')
        .metrics([new elastic.LogsBuilder().id('1').settings({ limit: '500' })]),
    );
}
