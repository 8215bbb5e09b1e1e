// PromQL as the dashboards need it again and again. Guarantee: what counts trouble answers 0 where there is none, so that an
// empty panel always means that nobody answered. It knows labels and no panel.

/** Labels that must match, such as `side="service"`; empty: any. */
type Selector = string;

/** Of one or more modules, as the variable of the dashboard says. */
export const OF_MODULE: Selector = 'module=~"$module"';
export const OF_HOST: Selector = 'host=~"$host"';

const only = (...selectors: readonly Selector[]) => selectors.filter(Boolean).join(',');

/** A second of it, over what Grafana thinks right for the resolution and the interval of scrapes. */
export const rate = (counter: string, ...selectors: readonly Selector[]): string =>
  `rate(${counter}{${only(...selectors)}}[$__rate_interval])`;

/** In all the time that is shown. */
export const inAll = (counter: string, ...selectors: readonly Selector[]): string =>
  `increase(${counter}{${only(...selectors)}}[$__range])`;

/** Of what is read from a database: each host that has it says the same. */
export const rows = (by: string, gauge: string, ...selectors: readonly Selector[]): string =>
  `max by (${by}) (${gauge}{${only(...selectors)}})`;

export const orZero = (expression: string): string => `${expression} or on () vector(0)`;

/** How many there are of it. */
export const countOf = (expression: string): string => orZero(`count(${expression})`);

/** A value for each module where there is none of its own. @param known a gauge that every module has. */
export const orZeroByModule = (expression: string, known = 'banyan_placement_service_ratio'): string =>
  `${expression} or on (module) max by (module) (${known}{${OF_MODULE}}) * 0`;

/** The same, as a word: `label` is `word` where there is nothing. */
export const orWordByModule = (
  expression: string,
  label: string,
  word: string,
  known = 'banyan_placement_service_ratio',
): string =>
  `${expression} or on (module) label_replace(max by (module) (${known}{${OF_MODULE}}) * 0, "${label}", "${word}", "", "")`;

const by = (labels: string) => (labels === '' ? '' : ` by (${labels})`);

export const requests = (labels: string, ...selectors: readonly Selector[]): string =>
  `sum${by(labels)} (${rate('banyan_requests_total', ...selectors)})`;

/** Which part of what was watched went wrong; of calls within a process one in 16 is watched. */
export const errors = (labels: string, ...selectors: readonly Selector[]): string =>
  `sum${by(labels)} (${rate('banyan_requests_bad_total', ...selectors)}) / ` +
  `clamp_min(sum${by(labels)} (${rate('banyan_request_duration_seconds_count', ...selectors)}), 1e-9)`;

/** Seconds within which that part of what was watched was answered; none where nothing was asked. */
export const quantile = (q: number, labels: string, ...selectors: readonly Selector[]): string => {
  const labelled = labels === '' ? 'le' : `le, ${labels}`;
  const buckets = rate('banyan_request_duration_seconds_bucket', ...selectors);
  return `histogram_quantile(${q}, sum by (${labelled}) (${buckets}))`;
};

/** The longest of some that may be none (NaN, where nothing was asked). */
export const longest = (expression: string): string => orZero(`max(${expression} > 0)`);

/** `expression` has the label host. @param role a pattern. */
export const ofRole = (expression: string, role: string): string =>
  `${expression} * on (host) group_left (role) max by (host, role) (banyan_build_info{role=~"${role}"})`;

/** Seconds of processor a second. */
export const cpu = (...selectors: readonly Selector[]): string =>
  rate('process_cpu_seconds_total', ...selectors);

export const ENTRANCE = 'monolith|gateway';

/** What clients asked for, a second, at the public ports. */
export const ASKED = `sum(${ofRole(rate('http_server_request_duration_seconds_count', 'route=~"/api/.*"'), ENTRANCE)})`;

/** Modules of which requests go to a service that nobody runs. */
export const UNSERVED =
  `${rows('module', 'banyan_placement_service_ratio')} > 0 and on (module) ` +
  `${rows('module', 'banyan_instances_healthy')} == 0`;

/** Processes that a monolith is to run and that do not take requests. */
export const missing = (...selectors: readonly Selector[]): string =>
  `clamp_min(${rows('module', 'banyan_instances_wanted', ...selectors)} - ` +
  `${rows('module', 'banyan_instances_healthy', ...selectors)}, 0)`;
