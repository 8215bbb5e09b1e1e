// `npm run dashboards`: writes Grafana's files (deploy/observability/grafana/dashboards) from what they are made of beside them.
// A test says when they are not what the sources give any more.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dashboardOf } from '../deploy/observability/grafana/board.ts';
import { boards } from '../deploy/observability/grafana/boards.ts';

const folder = new URL('../deploy/observability/grafana/dashboards/', import.meta.url);

for (const name of readdirSync(folder)) rmSync(new URL(name, folder));
for (const board of boards) {
  const text = JSON.stringify(dashboardOf(board), null, 2);
  writeFileSync(new URL(`${board.name}.json`, folder), `${text}\n`);
}
