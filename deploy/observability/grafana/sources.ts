// Where dashboards have their data from: the names under which provisioning/datasources/banyan.yaml gives them to Grafana, and
// where the stack's other pages are for whoever looks from the same machine (../compose.yml publishes them there alone).

/** What a panel or query refers to. */
interface Source {
  readonly type: string;
  readonly uid: string;
}

export const prometheus: Source = { type: 'prometheus', uid: 'prometheus' };
export const elasticsearch: Source = { type: 'elasticsearch', uid: 'elasticsearch' };

export const pages = {
  alertmanager: 'http://localhost:9093',
  jaeger: 'http://localhost:16686',
  kibana: 'http://localhost:5601',
} as const;

/** Of the data view that ../elasticsearch/set-up.sh makes. */
const DATA_VIEW = 'banyan-logs';

/** @param query in Kibana's language; variables of a dashboard stay as they are. */
export function inKibana(query: string): string {
  // A quote within rison's quotes is written !'.
  const escaped = encodeURIComponent(query.replaceAll("'", "!'")).replaceAll('%24', '$');
  const source = `dataSource:(dataViewId:${DATA_VIEW},type:dataView)`;
  return `${pages.kibana}/app/discover#/?_g=(time:(from:now-1h,to:now))&_a=(${source},query:(language:kuery,query:'${escaped}'))`;
}

/** @param service as a resource says it: `monolith`, or the module. @param module whose spans alone. */
export function inJaeger(service: string, module?: string): string {
  const tags = module === undefined ? '' : `&tags=%7B%22banyan.module%22%3A%22${module}%22%7D`;
  return `${pages.jaeger}/search?service=${service}&lookback=1h&limit=50${tags}`;
}
