// What a host makes for itself when its environment does not say: the secrets of one DATA_DIR, each in a file
// of mode 0600, made once and then read. Nothing is written before somebody asks for it, so a host whose
// environment says everything keeps nothing on disk.
import { randomBytes } from 'node:crypto';
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
  rootKey(): string;
  /** What the version before made for sessions; undefined: nothing. It is not made any more. */
  signingKey(): JWK | undefined;
}

export function openDefaults(dataDir: string): Defaults {
  const secret = () => randomBytes(32).toString('base64url');
  return {
    adminToken: () => once(dataDir, 'admin-token', secret),
    internalKey: () => once(dataDir, 'internal-key', secret),
    rootKey: () => once(dataDir, 'root-key', secret),
    signingKey: () => {
      const kept = orComplain(dataDir, 'signing-key.json', (path) => read(path));
      return kept === undefined ? undefined : readSigningKey('signing-key.json in DATA_DIR', kept);
    },
  };
}

function once(folder: string, name: string, make: () => string): string {
  return orComplain(folder, name, () => readOrMake(folder, name, make));
}

function orComplain<T>(folder: string, name: string, work: (path: string) => T): T {
  try {
    return work(join(folder, name));
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
