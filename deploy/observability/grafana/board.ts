// A dashboard as ours are: the first row says whether anything is wrong, the others what is; all of them lead to each other and
// keep what was chosen. Guarantee: ids of panels are unique, and the first row is there. It knows no metric but the two that
// every first row begins with.
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { verdict } from './panels.ts';
import { countOf } from './queries.ts';
import { pages, prometheus } from './sources.ts';

export interface Row {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

export interface Board {
  /** `banyan-<name>`, and the name of its file. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly variables?: readonly Builder<VariableModel>[];
  /** What the first row asks besides whether anybody answers and whether an alarm is on. */
  readonly wrong: readonly Builder<Panel>[];
  readonly rows: readonly Row[];
}

export const FIRST_ROW = 'Is anything wrong?';

const TAG = 'banyan';

/** All modules, or some. */
export const modules = () => someOf(variable('module', 'Module', 'label_values(banyan_placement, module)'));

/** One of them. */
export const oneModule = () => variable('module', 'Module', 'label_values(banyan_placement, module)');

export const hosts = () => someOf(variable('host', 'Host', 'label_values(banyan_build_info, host)'));

/** As many as one likes, and at first all. */
const someOf = (one: QueryVariableBuilder) =>
  one.multi(true).includeAll(true).allValue('.*').current({ selected: true, text: 'All', value: '$__all' });

function variable(name: string, label: string, query: string) {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(prometheus)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

/** Without somebody who answers every other panel would be empty, or 0. */
const somebody = () =>
  verdict(
    {
      title: 'Hosts that answer',
      about:
        'Hosts whose numbers came within the last minutes. With none of them nothing else here says anything.',
      unit: 'short',
    },
    { least: 1 },
    [countOf('banyan_build_info'), 'hosts'],
  );

const alarms = () =>
  verdict(
    {
      title: 'Alarms',
      about: 'Rules that fire now. Each has a runbook, which its page in Alertmanager links.',
      unit: 'short',
      links: [{ title: 'Which ones', url: `${pages.alertmanager}/#/alerts` }],
    },
    { wrong: 1 },
    [countOf('ALERTS{alertstate="firing"}'), 'firing'],
  );

export function dashboardOf({ name, title, about, variables = [], wrong, rows }: Board): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(`banyan-${name}`)
    .description(about)
    .tags([TAG])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('15s')
    .tooltip(DashboardCursorSync.Crosshair)
    .links([
      new DashboardLinkBuilder('Banyan')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    ]);
  for (const one of variables) builder.withVariable(one);
  for (const row of [{ title: FIRST_ROW, panels: [somebody(), alarms(), ...wrong] }, ...rows]) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  const dashboard = builder.build();
  // The SDK puts links where one has to look for them.
  for (const link of dashboard.links ?? []) delete link.placement;
  dashboard.panels?.forEach((panel, at) => {
    panel.id = at + 1;
  });
  return dashboard;
}
