// What a host of the chart is told, read as the host itself reads it: the environment of its container, with a Secret's value in the
// form that it has to have, goes through src/banyan/config. So a variable that nobody reads, one that does not belong to the role
// and one that is missing are found by who knows.
import { generateKeyPairSync } from 'node:crypto';
import { readEnvironment } from '../../src/banyan/config/environment.ts';
import type { Settings } from '../../src/banyan/config/settings.ts';
import { usageOf } from '../../src/banyan/config/usage.ts';
import { shopApp } from '../../src/shop.ts';
import type { Manifest, PodOf } from './rendered.ts';

const key = JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));

/** The variables that can be in a Secret, each in a form that is taken. @param secret whose it is. */
function secretOf(variable: string, secret: string): string {
  if (variable.startsWith('DATABASE_URL') || /^STORE_.*_URL$/.test(variable))
    return 'postgres://u:p@db:5432/banyan';
  if (variable === 'BROKER_URL' || variable.startsWith('BROKER_URL_'))
    return `kafkas://${secret}${variable}:p@kafka:9093/?mechanism=scram-sha-512`.replaceAll('_', '-');
  const forms: Readonly<Record<string, string>> = {
    ROOT_KEY: 'a root key of thirty-two characters',
    ADMIN_TOKEN: 'a-token-of-some-length',
    SERVICE_KEY: key,
    SMTP_URL: 'smtps://user:pass@mail.example:465',
    NOTIFY_URL: 'https://chat.example/hook',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc',
  };
  const form = forms[variable];
  if (form === undefined) throw new Error(`${variable} comes from a Secret, and is not one that is known to`);
  return form;
}

/** The variables of the first container, as they are in the pod. @param dataDir in the place of the one that is there. */
export function environmentOf({ spec }: PodOf, dataDir: string): Record<string, string> {
  const env: Record<string, string> = {};
  const isIPv6 = spec.containers[0].env.some(
    ({ name, value }: Manifest) => name === 'HOST' && value === '::',
  );
  for (const { name, value, valueFrom } of spec.containers[0].env as Manifest[]) {
    if (name in env) throw new Error(`${name} is told twice`);
    if (valueFrom?.fieldRef) env[name] = isIPv6 ? 'fd00:10::7' : '10.244.1.7';
    else if (valueFrom?.secretKeyRef) env[name] = secretOf(name, valueFrom.secretKeyRef.name);
    else env[name] = String(value).replaceAll(/\$\((\w+)\)/g, (_, other: string) => env[other]!);
  }
  return { ...env, DATA_DIR: dataDir };
}

/** As the host reads it. Throws its complaint. */
export function settingsOf(pod: PodOf, dataDir: string): Settings {
  const [service] = /(?<=extracted\/)\w+/.exec(pod.spec.containers[0].command.at(-1)) ?? [];
  return readEnvironment(shopApp, service ? { MODULES: service } : {}, environmentOf(pod, dataDir));
}

/** Told to no purpose: the help does not know them. What the pod itself is made of is no variable of ours. */
export function unread(names: readonly string[]): string[] {
  const known = new Set(usageOf(shopApp).match(/\b[A-Z][A-Z_]+(?:<[A-Z]+>)?(?:_URL)?/g));
  const form = (name: string) =>
    name
      .replace(/^(DATABASE|BROKER)_URL_.*/, '$1_URL_<MODULE>')
      .replace(/^STORE_.*_URL$/, 'STORE_<NAME>_URL');
  return names.filter((name) => name !== 'POD_IP' && !known.has(form(name)));
}
