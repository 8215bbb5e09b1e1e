// `npm start -- --help`: what the process can be told, in 80 columns.
import type { App } from './app.ts';
import { helpOf } from './values.ts';

export function usageOf({ title, settings = {}, example }: App): string {
  const own = Object.values(settings)
    .map(helpOf)
    .map(([variable, unset, form]) => `  ${variable.padEnd(22)}${unset.padEnd(16)}${form}\n`);
  return `${title}: a modular monolith whose modules move into services while it runs.

  npm start                 the monolith: all modules and the gateway, on :3000
  npm start -- --migrate    makes its database ready, and ends
  npx banyan --help         the commands that move modules
  npm test                  the tests

Set by the environment; a mistake is said in one line. The monolith needs none
of it. A service (MODULES is a list) needs CONTROL_URL, SERVICE_KEY, BROKER_URL
and each DATABASE_URL_<MODULE>: npx banyan extract gives it all of them. The
gateway alone (MODULES=none) needs its monolith's DATABASE_URL, ADMIN_TOKEN and
ROOT_KEY.

  PORT                  3000            the public port
  HOST                  127.0.0.1       the address it listens on
  INTERNAL_PORT         a free one      for other hosts, on loopback
  ADMIN_PORT            none: PORT      a port of /admin alone
  ADMIN_HOST            127.0.0.1       the address that one listens on
  CONSOLE               /console        where the console is, or off
  MODULES               all             all, none (the gateway alone), or a list
  DATA_DIR              .banyan         where the defaults below are kept
  DATABASE_URL          embedded        postgres://user:pass@host:5432/banyan
  DATABASE_URL_<MODULE>                 a module's own role, for services
  BROKER_URL            embedded log    kafka[s]://[user:pass@]h1:9092,h2:9092
  BROKER_URL_<MODULE>                   as whom its service speaks to Kafka
${own.join('')}  ADMIN_TOKEN           made once       bearer token of /admin
  ROOT_KEY              made once       of monoliths and gateways; 32 characters
  SIGNING_KEY                           of an older version; taken over once
  CONTROL_URL                           where a service registers; of no other
  SERVICE_KEY                           a service's own key: banyan keys issue
  SERVICE_NETWORKS      loopback        CIDRs and names where services may be
  INTERNAL_KEY_LEGACY   0               1: hosts of the version before come in
  INTERNAL_KEY                          the key that those have; with it alone
  ADVERTISE_URL         loopback        how others reach the internal port
  INSTANCE_ID           monolith        or <module>-<n>; ${example}-*: any number
  RELEASE               its version     of which release it is: banyan deploy
  STORES                shared          ${example}=own or =NAME, at first
  STORE_<NAME>_URL                      another database server, by name
  PLACEMENTS            in-process      ${example}=service or =canary:10, at first
  RESTORED              0               1: once, after a backup was put back
  DRAIN_DELAY_MS        0               between "not ready" and closing the port
  TRUST_PROXY                           CIDRs of proxies believed on addresses
  RATE_LIMIT            300             requests a second per address; 0: any
  RATE_LIMIT_EXEMPT     loopback        CIDRs that are not counted, besides
  SECURITY_LOG          under DATA_DIR  stdout, stderr, or the path of a file
  NOTIFY_URL                            gets a POST of each change of a ladder
  OTEL_EXPORTER_OTLP_ENDPOINT           http://collector:4318: traces, metrics
                                        and logs go there
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT    of traces alone, the whole URL; so, too:
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT
  OTEL_EXPORTER_OTLP_HEADERS            name=value,... of each export
  OTEL_TRACES_EXPORTER  otlp            or none; where there is an endpoint
  OTEL_METRICS_EXPORTER otlp            or none
  OTEL_LOGS_EXPORTER    otlp            or none
  OTEL_METRIC_EXPORT_INTERVAL           60000: milliseconds between two exports
  OTEL_RESOURCE_ATTRIBUTES              name=value,... said of every host
`;
}
