// The dashboards as Grafana gets them: files of JSON, with what tests ask of each panel.
import { readdirSync, readFileSync } from 'node:fs';

export interface Source {
  readonly type: string;
  readonly uid: string;
}

export interface Target {
  readonly refId: string;
  readonly datasource: Source;
  /** Of Prometheus. */
  readonly expr?: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: Source;
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults?: { readonly unit?: string } };
  readonly links?: readonly { readonly url: string }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating?: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}

export interface Asked {
  /** Dashboard, panel and letter: what a failure is named by. */
  readonly where: string;
  readonly expression: string;
}

const folder = new URL('../../deploy/observability/grafana/dashboards/', import.meta.url);

export const dashboardFiles = (): string[] => readdirSync(folder).sort();

export const readDashboard = (file: string): Dashboard =>
  JSON.parse(readFileSync(new URL(file, folder), 'utf8'));

/** What Prometheus is asked by them. */
export function queriesOf({ title, panels }: Dashboard): Asked[] {
  return panels.flatMap((panel) =>
    (panel.targets ?? [])
      .filter(({ datasource }) => datasource.type === 'prometheus')
      .map(({ refId, expr = '' }) => ({ where: `${title} / ${panel.title} / ${refId}`, expression: expr })),
  );
}
