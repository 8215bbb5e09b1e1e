// Where traces, metrics and logs leave a host by OTLP/HTTP, in the variables that OpenTelemetry itself has. Without an endpoint
// nothing leaves, and nothing of it is loaded. Values that may be secrets (headers) are in no message.
import { type OtlpTarget, type Signal, signals } from '../telemetry/otlp-target.ts';
import { ConfigurationError, type Env, http, quoted, readInteger, readUrl } from './values.ts';

export interface OtlpSettings extends OtlpTarget {
  /** As they were given: what services of this host are told. */
  readonly variables: Readonly<Record<string, string>>;
}

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const HEADERS = 'OTEL_EXPORTER_OTLP_HEADERS';
const INTERVAL = 'OTEL_METRIC_EXPORT_INTERVAL';
const ATTRIBUTES = 'OTEL_RESOURCE_ATTRIBUTES';
const endpointOf = (signal: Signal) => `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
const exporterOf = (signal: Signal) => `OTEL_${signal.toUpperCase()}_EXPORTER`;

const variables = [
  ...[ENDPOINT, HEADERS, INTERVAL, ATTRIBUTES],
  ...signals.flatMap((signal) => [endpointOf(signal), exporterOf(signal)]),
];

/** Undefined: nothing leaves. */
export function readOtlp(env: Env): OtlpSettings | undefined {
  const base = readUrl(ENDPOINT, env[ENDPOINT], http);
  const headers = readPairs(HEADERS, env[HEADERS], false);
  const attributes = readPairs(ATTRIBUTES, env[ATTRIBUTES], true);
  const intervalMs = readInteger(INTERVAL, env[INTERVAL] ?? '60000', 100, 3_600_000);
  const endpoints = Object.fromEntries(
    signals.flatMap((signal) => {
      const url = readSignal(env, signal, base);
      return url === undefined ? [] : [[signal, url]];
    }),
  );
  if (Object.keys(endpoints).length === 0) return undefined;
  const given = Object.fromEntries(
    variables.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  return { endpoints, headers, intervalMs, attributes, variables: given };
}

function readSignal(env: Env, signal: Signal, base: string | undefined): string | undefined {
  const own = readUrl(endpointOf(signal), env[endpointOf(signal)], http);
  const name = exporterOf(signal);
  const exporter = env[name];
  if (exporter !== undefined && exporter !== 'otlp' && exporter !== 'none')
    throw new ConfigurationError(name, `is ${quoted(exporter)}`, 'Use otlp or none.');
  if (exporter === 'none') return undefined;
  const url = own ?? (base && `${base.replace(/\/$/, '')}/v1/${signal}`);
  if (exporter === 'otlp' && url === undefined)
    throw new ConfigurationError(
      name,
      'is otlp, and no endpoint is set',
      `Use it together with ${ENDPOINT}.`,
    );
  return url;
}

/** `name=value,name=value`, the values percent-encoded where they need to be. @param shown they are nobody's secret. */
function readPairs(name: string, text: string | undefined, shown: boolean): Record<string, string> {
  const pairs = (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return Object.fromEntries(pairs.map((part) => readPair(name, part, shown)));
}

function readPair(name: string, part: string, shown: boolean): [string, string] {
  const at = part.indexOf('=');
  const key = part.slice(0, at).trim();
  try {
    if (at > 0 && /^[!#$%&'*+.^_`|~\w-]+$/.test(key))
      return [key, decodeURIComponent(part.slice(at + 1).trim())];
  } catch {
    // Said below.
  }
  const wrong = shown ? `has ${quoted(part)}, which is no pair` : 'has a part that is no pair';
  throw new ConfigurationError(name, wrong, 'Use name=value,name=value, with % and , in values encoded.');
}
