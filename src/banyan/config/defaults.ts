// What a host makes for itself when its environment does not say: the secrets of one DATA_DIR, each in a file
// of mode 0600, made once and then read. Nothing is written before somebody asks for it, so a host whose
// environment says everything keeps nothing on disk.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { ConfigurationError, quoted, readSigningKey } from './values.ts';

export interface Defaults {
  adminToken(): string;
  internalKey(): string;
  signingKey(): JWK;
}

export function openDefaults(dataDir: string): Defaults {
  const secret = () => randomBytes(32).toString('base64url');
  return {
    adminToken: () => once(dataDir, 'admin-token', secret),
    internalKey: () => once(dataDir, 'internal-key', secret),
    signingKey: () =>
      readSigningKey('signing-key.json in DATA_DIR', once(dataDir, 'signing-key.json', newSigningKey)),
  };
}

function newSigningKey(): string {
  return JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
}

function once(folder: string, name: string, make: () => string): string {
  try {
    return readOrMake(folder, name, make);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigurationError(
      'DATA_DIR',
      `cannot hold ${name} (${code ?? message}): ${quoted(folder)}`,
      'Use a folder that this user may write to, or set what would be kept in it.',
    );
  }
}

/** Two processes at once agree: the link is the moment that decides. */
function readOrMake(folder: string, name: string, make: () => string): string {
  const path = join(folder, name);
  const present = read(path);
  if (present !== undefined) return present;
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const draft = `${path}.${process.pid}`;
  const file = openSync(draft, 'w', 0o600);
  writeSync(file, `${make()}\n`);
  fsyncSync(file);
  closeSync(file);
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return read(path)!;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
