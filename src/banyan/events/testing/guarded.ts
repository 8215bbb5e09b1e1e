// A broker that knows its users: clients come by TLS and SASL (PLAIN, SCRAM-SHA-256 and -512) and may do what an ACL lets
// them; `admin` may do everything. Its certificates are made for the one run. For tests of who may do what.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Mechanism } from '../../log/kafka/url.ts';

const run = promisify(execFile);

export const ADMIN = 'admin';

export interface Guard {
  /** Passwords by user, that of `admin` included. */
  readonly passwords: Readonly<Record<string, string>>;
  /** The file of the certificate that clients believe. */
  readonly ca: string;
  /** What a user is told: the value of its BROKER_URL. */
  urlOf(user: string, mechanism?: Mechanism): string;
  /** Of server.properties. */
  readonly properties: Readonly<Record<string, string>>;
  /** Of the storage tool: the users as the broker's own metadata has them from its first start. */
  readonly formatting: readonly string[];
}

/** @param users besides `admin`. */
export async function makeGuard(
  folder: string,
  port: number,
  controllerPort: number,
  users: readonly string[],
): Promise<Guard> {
  const passwords = Object.fromEntries(
    // What a URL would take for something else is in each of them.
    [ADMIN, ...users].map((user) => [user, `${randomBytes(9).toString('hex')}:@/%`]),
  );
  const { ca, keystore } = await certificates(folder);
  return {
    passwords,
    ca,
    urlOf: (user, mechanism = 'scram-sha-512') =>
      `kafkas://${encodeURIComponent(user)}:${encodeURIComponent(passwords[user]!)}@127.0.0.1:${port}` +
      `/?mechanism=${mechanism}&ca=${encodeURIComponent(ca)}`,
    properties: propertiesOf(port, controllerPort, keystore, passwords),
    formatting: Object.entries(passwords).flatMap(([name, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${name},password=${password}]`,
      ]),
    ),
  };
}

function propertiesOf(
  port: number,
  controllerPort: number,
  keystore: string,
  passwords: Readonly<Record<string, string>>,
): Record<string, string> {
  const login = `username="${ADMIN}" password="${passwords[ADMIN]}"`;
  const known = Object.entries(passwords).map(([user, password]) => `user_${user}="${password}"`);
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required ${login} ${known.join(' ')};`;
  const scram = `org.apache.kafka.common.security.scram.ScramLoginModule required ${login};`;
  return {
    listeners: `CLIENTS://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `CLIENTS://127.0.0.1:${port}`,
    'inter.broker.listener.name': 'CLIENTS',
    'listener.security.protocol.map': 'CLIENTS:SASL_SSL,CONTROLLER:SASL_PLAINTEXT',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.clients.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.clients.plain.sasl.jaas.config': plain,
    'listener.name.clients.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.clients.scram-sha-512.sasl.jaas.config': scram,
    'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.controller.plain.sasl.jaas.config': plain,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': keystore.replace('broker.pem', 'ca.pem'),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:${ADMIN}`,
    'allow.everyone.if.no.acl.found': 'false',
  };
}

/** An authority, and a certificate for 127.0.0.1 that it signed. */
async function certificates(folder: string): Promise<{ ca: string; keystore: string }> {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    ...['req', '-x509', ...fresh, '-days', '2', '-subj', '/CN=the authority of a test'],
    ...['-keyout', 'ca.key', '-out', 'ca.pem'],
  );
  await openssl('req', ...fresh, '-subj', '/CN=broker', '-keyout', 'broker.key', '-out', 'broker.csr');
  await writeFile(at('broker.ext'), 'subjectAltName=IP:127.0.0.1\n');
  await openssl(
    ...['x509', '-req', '-in', 'broker.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-days', '2', '-extfile', 'broker.ext', '-out', 'broker.crt'],
  );
  const parts = await Promise.all(['broker.key', 'broker.crt', 'ca.pem'].map((name) => readFile(at(name))));
  await writeFile(at('broker.pem'), Buffer.concat(parts), { mode: 0o600 });
  return { ca: at('ca.pem'), keystore: at('broker.pem') };
}
